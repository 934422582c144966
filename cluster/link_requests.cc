#include "cluster/link_requests.h"

#include <optional>
#include <utility>

namespace cistern::cluster {
namespace {

namespace errors = cache::errors;

// Keys of one frame: enough to make the frame's own cost small, and far below a frame's limit.
constexpr size_t kFrameKeyBytes = size_t{256} << 10;
// Arguments above this leave in chunks.
constexpr size_t kInlineArgumentBytes = size_t{64} << 10;
// A command whose small arguments exceed a frame is refused.
constexpr size_t kMaxInlineBytes = size_t{12} << 20;

uint64_t MillisLeft(cache::Instant deadline, cache::Instant now) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
  return static_cast<uint64_t>(std::max<int64_t>(left.count(), 1));
}

wire::Wish WishToWire(cache::Wish wish) {
  return wish == cache::Wish::kLease ? wire::WISH_LEASE : wire::WISH_NONE;
}

}  // namespace

void LinkRequests::Add(std::shared_ptr<cache::PeerFetch> fetch) {
  fetches_.push_back(std::move(fetch));
}

void LinkRequests::Add(cache::Incarnation incarnation, cache::Notice notice,
                       cache::CompletionPtr<bool> done) {
  unsent_.emplace_back(Notice{incarnation, std::move(notice), std::move(done)});
}

void LinkRequests::Add(std::vector<std::string> keys, Done done) {
  unsent_.emplace_back(Invalidation{std::move(keys), std::move(done)});
}

void LinkRequests::Add(cache::PurgeScope scope, cache::PurgeRound round, PurgeDone done) {
  unsent_.emplace_back(Purge{std::move(scope), round, std::move(done)});
}

void LinkRequests::Add(uint64_t operation, std::vector<std::string> args, CommandDone done) {
  size_t bytes = 0;
  for (const std::string& arg : args)
    bytes += sizeof(std::string) + arg.capacity();
  unsent_.emplace_back(Command{operation, std::move(args), std::move(done),
                               cache::Charge(budget_, cache::ChargeKind::kPeers, bytes)});
}

uint64_t LinkRequests::Remember(Sent sent) {
  sent_.emplace(++last_id_, std::move(sent));
  return last_id_;
}

void LinkRequests::SendAll(cache::Instant now, cache::Incarnation incarnation, Connection& to) {
  if (!fetches_.empty()) {
    to.SendWritten(
        [this, now](std::string& out, uint64_t epoch) { return WriteGets(now, epoch, out); });
  }
  for (Unsent& unsent : std::exchange(unsent_, {})) {
    if (auto* notice = std::get_if<Notice>(&unsent)) {
      SendOne(*notice, incarnation, to);
    } else if (auto* invalidation = std::get_if<Invalidation>(&unsent)) {
      SendOne(*invalidation, to);
    } else if (auto* purge = std::get_if<Purge>(&unsent)) {
      SendOne(*purge, incarnation, to);
    } else {
      SendOne(std::get<Command>(unsent), to);
    }
  }
}

uint64_t LinkRequests::WriteGets(cache::Instant now, uint64_t epoch, std::string& out) {
  uint64_t frames = 0;
  std::optional<GetFrameWriter> frame;
  std::vector<SentFetch>* items = nullptr;  // of the frame that is being written
  auto fetches = std::exchange(fetches_, std::move(spare_fetches_));
  for (std::shared_ptr<cache::PeerFetch>& fetch : fetches) {
    if (!fetch->OnSending(now)) continue;
    if (!frame) {
      const uint64_t id = Remember(Gets{std::move(spare_items_)});
      items = &std::get<Gets>(sent_.find(id)->second).items;
      frame.emplace(out, GetFrameWriter::Body::kGet, id, epoch);
      ++frames;
    }
    frame->Add({fetch->key(), MillisLeft(fetch->deadline(), now), WishToWire(fetch->wish())});
    items->push_back({std::move(fetch), now});
    if (frame->bytes() < kFrameKeyBytes && frame->items() < kMostGetItems) continue;
    frame->Close();
    frame.reset();
  }
  if (frame) frame->Close();
  fetches.clear();
  spare_fetches_ = std::move(fetches);
  return frames;
}

void LinkRequests::SendOne(Notice& notice, cache::Incarnation incarnation, Connection& to) {
  // Another start of the node has no copies of this one's.
  if (notice.incarnation != incarnation) return notice.done->Done(false);
  wire::Frame frame;
  wire::Invalidate& message = *frame.mutable_invalidate();
  message.set_selector(wire::SELECTOR_KEYS);
  message.set_role(wire::ROLE_COPIES);
  message.set_sequence(notice.notice.sequence);
  message.add_keys(std::move(notice.notice.key));
  frame.set_id(Remember(std::move(notice.done)));
  to.Send(std::move(frame), {});
}

void LinkRequests::SendOne(Invalidation& invalidation, Connection& to) {
  if (!invalidation.done->pending()) return;
  const auto sum = std::make_shared<Sum>();
  sum->done = std::move(invalidation.done);
  const std::vector<std::string>& keys = invalidation.keys;
  for (size_t i = 0; i < keys.size() || sum->frames_left == 0;) {
    wire::Frame frame;
    wire::Invalidate& message = *frame.mutable_invalidate();
    message.set_selector(wire::SELECTOR_KEYS);
    message.set_role(wire::ROLE_AT_OWNER);
    message.set_cause(wire::CAUSE_DEL);
    for (size_t bytes = 0; i < keys.size() && bytes < kFrameKeyBytes; ++i) {
      message.add_keys(keys[i]);
      bytes += keys[i].size() + 4;
    }
    frame.set_id(Remember(sum));
    ++sum->frames_left;
    to.Send(std::move(frame), {});
  }
}

void LinkRequests::SendOne(Purge& purge, cache::Incarnation incarnation, Connection& to) {
  if (!purge.done->pending()) return;
  wire::Frame frame;
  ToWire(purge.scope, purge.round, *frame.mutable_invalidate());
  frame.set_id(Remember(SentPurge{incarnation, std::move(purge.done)}));
  to.Send(std::move(frame), {});
}

void LinkRequests::SendOne(Command& command, Connection& to) {
  // Whoever gave up before it was sent was told so: it must not run behind their back.
  if (!command.done->pending()) return;
  size_t inline_bytes = 0;
  for (const std::string& arg : command.args)
    inline_bytes += arg.size() > kInlineArgumentBytes ? 0 : arg.size() + 4;
  if (inline_bytes > kMaxInlineBytes)
    return command.done->Done(tl::unexpected(errors::TooLarge("command", kMaxInlineBytes)));
  wire::Frame frame;
  wire::Command& message = *frame.mutable_command();
  message.set_operation(command.operation);
  std::vector<LargeField> large;
  for (std::string& arg : command.args) {
    std::string& field = *message.add_args();
    if (arg.size() > kInlineArgumentBytes) {
      cache::BlobPtr blob = cache::MakeBlob(arg);
      blob->ChargeTo(budget_);
      large.push_back({static_cast<uint32_t>(message.args_size() - 1), std::move(blob)});
    } else {
      field = std::move(arg);
    }
  }
  frame.set_id(Remember(std::move(command.done)));
  to.Send(std::move(frame), large);
}

bool LinkRequests::OnAnswer(wire::Frame& frame) {
  if (frame.has_get_reply()) return OnGetReply(frame);
  const auto at = sent_.find(frame.id());
  if (at == sent_.end()) return false;
  Sent sent = std::move(at->second);
  sent_.erase(at);
  if (frame.has_unknown_op()) {
    Lose(sent, false);
  } else if (frame.has_invalidate_reply()) {
    const wire::InvalidateReply& reply = frame.invalidate_reply();
    if (auto* notice = std::get_if<cache::CompletionPtr<bool>>(&sent)) {
      (*notice)->Done(reply.done());
    } else if (auto* part = std::get_if<std::shared_ptr<Sum>>(&sent)) {
      Sum& sum = **part;
      sum.count += reply.count();
      if (!reply.done()) sum.done->Done(tl::unexpected(FromWire(reply.error())));
      if (--sum.frames_left == 0) sum.done->Done(sum.count);
    } else if (auto* purge = std::get_if<SentPurge>(&sent)) {
      if (!reply.done()) purge->done->Done(tl::unexpected(FromWire(reply.error())));
      purge->done->Done(purge->incarnation);
    } else {
      Lose(sent, false);
      return false;
    }
  } else if (auto* done = std::get_if<CommandDone>(&sent);
             done != nullptr && frame.has_command_reply()) {
    (*done)->Done(FromWire(*frame.mutable_command_reply(), node_));
  } else {
    Lose(sent, false);
    return false;
  }
  return true;
}

// One whose values are large, so they came behind it.
bool LinkRequests::OnGetReply(wire::Frame& frame) {
  std::vector<GetResultView> results;
  for (wire::GetResult& item : *frame.mutable_get_reply()->mutable_items())
    results.push_back(ViewOf(item));
  return OnGetReply(frame.id(), results);
}

bool LinkRequests::OnGetReply(uint64_t id, std::span<const GetResultView> results) {
  const auto at = sent_.find(id);
  if (at == sent_.end()) return true;  // its gets timed out here meanwhile
  Gets* gets = std::get_if<Gets>(&at->second);
  if (gets == nullptr) return false;
  for (const GetResultView& result : results) {
    if (result.index >= gets->items.size()) return false;
  }
  // Taken out first: a callee may ask for more, which moves what is in the map.
  Answered answered = std::move(spare_answered_);
  for (const GetResultView& result : results) {
    auto& fetch = gets->items[result.index].fetch;
    if (fetch == nullptr) continue;
    answered.emplace_back(std::exchange(fetch, nullptr), &result);
  }
  gets->answered += answered.size();
  if (gets->answered == gets->items.size()) Forget(at);
  for (auto& [fetch, result] : answered)
    fetch->OnReply(FromWire(*result, node_));
  answered.clear();
  spare_answered_ = std::move(answered);
  return true;
}

// All of them have been answered.
void LinkRequests::Forget(std::unordered_map<uint64_t, Sent>::iterator gets) {
  spare_items_ = std::move(std::get<Gets>(gets->second).items);
  spare_items_.clear();
  sent_.erase(gets);
}

void LinkRequests::Lose(Sent& sent, bool understood) {
  if (auto* gets = std::get_if<Gets>(&sent)) {
    for (SentFetch& item : gets->items) {
      if (item.fetch == nullptr) continue;
      item.fetch->OnReply(
          tl::unexpected(understood ? errors::PeerLost(node_) : NotUnderstood(node_)));
    }
  } else if (auto* notice = std::get_if<cache::CompletionPtr<bool>>(&sent)) {
    (*notice)->Done(false);
  } else if (auto* part = std::get_if<std::shared_ptr<Sum>>(&sent)) {
    (*part)->done->Done(tl::unexpected(errors::NotConfirmed(node_)));
  } else if (auto* purge = std::get_if<SentPurge>(&sent)) {
    purge->done->Done(tl::unexpected(understood ? errors::NotPurged(node_) : NotUnderstood(node_)));
  } else {
    std::get<CommandDone>(sent)->Done(
        tl::unexpected(understood ? errors::OutcomeUnknown(node_) : NotUnderstood(node_)));
  }
}

void LinkRequests::LoseSent() {
  for (auto& [id, sent] : std::exchange(sent_, {}))
    Lose(sent, true);
}

void LinkRequests::RefuseUnsent(const cache::Error& error) {
  const auto fetches = std::exchange(fetches_, {});
  for (Unsent& unsent : std::exchange(unsent_, {})) {
    if (auto* notice = std::get_if<Notice>(&unsent)) {
      notice->done->Done(false);
    } else if (auto* invalidation = std::get_if<Invalidation>(&unsent)) {
      invalidation->done->Done(tl::unexpected(error));
    } else if (auto* purge = std::get_if<Purge>(&unsent)) {
      purge->done->Done(tl::unexpected(errors::NotPurged(node_)));
    } else {
      std::get<Command>(unsent).done->Done(tl::unexpected(error));
    }
  }
  for (const auto& fetch : fetches)
    fetch->OnReply(tl::unexpected(error));
}

void LinkRequests::TimeOut(cache::Instant now) {
  std::vector<SentFetch> late;
  for (auto at = sent_.begin(); at != sent_.end();) {
    Gets* gets = std::get_if<Gets>(&at->second);
    if (gets != nullptr) {
      for (SentFetch& item : gets->items) {
        if (item.fetch == nullptr || item.fetch->deadline() > now) continue;
        late.push_back(std::exchange(item, {}));
        ++gets->answered;
      }
    }
    at = gets != nullptr && gets->answered == gets->items.size() ? sent_.erase(at) : std::next(at);
  }
  for (const SentFetch& item : late)
    item.fetch->OnReply(tl::unexpected(errors::Timeout(item.fetch->deadline() - item.sent)));
}

}  // namespace cistern::cluster
