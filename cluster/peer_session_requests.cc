// What a peer asks for, and the answers.
#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <utility>

#include "cache/entry.h"
#include "cache/lookahead.h"
#include "cache/mutant.h"
#include "cluster/peer_session.h"

namespace cistern::cluster {
namespace {

// Values that share a frame; the next one opens another.
constexpr size_t kFrameValueBytes = size_t{256} << 10;
// A result whose value does not travel by itself, with its frame's head.
constexpr size_t kMostSmallBytes = cache::PeerReply::kMostLent + cache::kMostVersionBytes + 256;
// Keys that are prefetched together.
constexpr size_t kPrefetched = cache::Lookahead::kMostKeys;
// A request without a sensible deadline gets this one.
constexpr uint64_t kLongestMillis = 3'600'000;
constexpr auto kDropLate = std::chrono::milliseconds(20);  // a mutant's

std::vector<std::string> TakeKeys(wire::Invalidate& message) {
  std::vector<std::string> keys;
  keys.reserve(static_cast<size_t>(message.keys_size()));
  for (std::string& key : *message.mutable_keys())
    keys.push_back(std::move(key));
  return keys;
}

cache::Wish WishFromWire(wire::Wish wish) {
  return wish == wire::WISH_LEASE ? cache::Wish::kLease : cache::Wish::kNone;
}

bool IsLarge(const cache::Result<cache::PeerReply>& reply) {
  return reply && reply->is_found() && reply->bytes().size() > kChunkBytes;
}

// Results of one request, in as many frames as they need.
class Results {
 public:
  Results(std::string& out, uint64_t id, uint64_t epoch) : out_(out), id_(id), epoch_(epoch) {}

  void Add(uint32_t index, GetResultView result) {
    if (!frame_) {
      frame_.emplace(out_, GetFrameWriter::Body::kGetReply, id_, epoch_);
      ++frames_;
    }
    result.index = index;
    frame_->Add(result);
    if (frame_->bytes() >= kFrameValueBytes || frame_->items() == kMostGetItems) Close();
  }
  // So that a small result, which is added under a shard's lock, need not make any.
  void MakeRoom() {
    if (out_.capacity() - out_.size() >= kMostSmallBytes) return;
    out_.reserve(std::max(2 * out_.capacity(), out_.size() + kMostSmallBytes));
  }
  // Returns how many frames there are.
  uint64_t Close() {
    if (frame_) frame_->Close();
    frame_.reset();
    return frames_;
  }

 private:
  std::string& out_;
  const uint64_t id_;
  const uint64_t epoch_;
  std::optional<GetFrameWriter> frame_;
  uint64_t frames_ = 0;
};

}  // namespace

// One that was not read in place.
void PeerSession::OnGet(const wire::Frame& frame) {
  std::vector<GetItemView> items;
  for (const wire::GetItem& item : frame.get().items())
    items.push_back(ViewOf(item));
  OnGets(frame.id(), frame.epoch(), items);
}

void PeerSession::OnGets(uint64_t id, uint64_t epoch, std::span<const GetItemView> items) {
  for (const uint32_t index : AnswerHits(id, epoch, items)) {
    if (items[index].mode == wire::MODE_LOAD) {
      Load(id, epoch, index, items[index]);
    } else {
      OnGetDone(id, index, tl::unexpected(NotUnderstood(context_.self.name())));
    }
  }
}

// Returns the indexes of all others.
std::vector<uint32_t> PeerSession::AnswerHits(uint64_t id, uint64_t epoch,
                                              std::span<const GetItemView> items) {
  std::vector<uint32_t> others;
  std::vector<Answer> far;  // what does not lie in its entry: it is copied outside the shard's lock
  channel_.SendWritten([&](std::string& out) {
    Results results(out, id, context_.self.epoch());
    uint32_t i = 0;
    cache::Instant now;
    const auto take_one = [&](const cache::PeerReply& reply) {
      if (reply.loaded.value != nullptr) return far.push_back({i, reply});
      results.Add(i, ToWire(reply));
    };
    const PeerService::Take take = std::ref(take_one);  // without a copy, which would be allocated
    std::array<cache::Key, kPrefetched> keys;
    for (; i < items.size(); ++i) {
      if (i % kPrefetched == 0) {
        const auto next = items.subspan(i, std::min(kPrefetched, items.size() - i));
        std::transform(next.begin(), next.end(), keys.begin(),
                       [](const GetItemView& item) { return cache::Key::Of(item.key); });
        context_.service.Prefetch({keys.data(), next.size()});
        now = loop_.clock().Now();
      }
      const PeerLook look{.key = keys[i % kPrefetched],
                          .from = node_,
                          .incarnation = peer_.incarnation,
                          .epoch = epoch,
                          .wish = WishFromWire(items[i].wish),
                          .now = now};
      results.MakeRoom();
      if (items[i].mode != wire::MODE_LOAD || !context_.service.Find(loop_, look, take))
        others.push_back(i);
    }
    for (const Answer& answer : far) {
      if (!IsLarge(answer.reply)) results.Add(answer.index, ToWire(answer.reply));
    }
    return results.Close();
  });
  for (const Answer& answer : far) {
    if (IsLarge(answer.reply)) SendLarge(id, answer);
  }
  return others;
}

void PeerSession::Load(uint64_t id, uint64_t epoch, uint32_t index, const GetItemView& item) {
  const auto left = std::chrono::milliseconds(std::min(item.left_ms, kLongestMillis));
  auto done = cache::Completion<cache::Result<cache::PeerReply>>::Make(
      loop_,
      [weak = weak_from_this(), id, index](cache::Result<cache::PeerReply> reply) {
        if (auto self = weak.lock()) self->OnGetDone(id, index, std::move(reply));
      },
      left, [left] { return tl::unexpected(cache::errors::Timeout(left)); });
  PeerGetRequest request;
  request.key = item.key;
  request.from = node_;
  request.incarnation = peer_.incarnation;
  request.epoch = epoch;
  request.wish = WishFromWire(item.wish);
  request.deadline = loop_.clock().Now() + left;
  context_.service.Get(loop_, std::move(request), std::move(done));
}

void PeerSession::OnGetDone(uint64_t id, uint32_t index, cache::Result<cache::PeerReply> reply) {
  if (state_ != State::kUp) return;
  if (answers_.empty()) {
    loop_.AtTurnEnd([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->SendGetReplies();
    });
  }
  answers_[id].push_back({index, std::move(reply)});
}

void PeerSession::SendGetReplies() {
  for (const auto& [id, answers] : std::exchange(answers_, {}))
    SendGetReply(id, answers);
}

void PeerSession::SendGetReply(uint64_t id, const std::vector<Answer>& answers) {
  channel_.SendWritten([&](std::string& out) {
    Results results(out, id, context_.self.epoch());
    for (const Answer& answer : answers) {
      if (!IsLarge(answer.reply)) results.Add(answer.index, ToWire(answer.reply));
    }
    return results.Close();
  });
  for (const Answer& answer : answers) {
    if (IsLarge(answer.reply)) SendLarge(id, answer);
  }
}

// It has a frame to itself: the others do not wait for its chunks.
void PeerSession::SendLarge(uint64_t id, const Answer& answer) {
  wire::Frame frame = NewFrame(id);
  wire::GetResult& item = *frame.mutable_get_reply()->add_items();
  item = WithoutValue(ToWire(answer.reply));
  item.set_index(answer.index);
  channel_.Send(std::move(frame), {{0, answer.reply->loaded.value}});
}

void PeerSession::OnInvalidate(wire::Frame& frame) {
  wire::Invalidate& message = *frame.mutable_invalidate();
  const uint64_t id = frame.id();
  if (message.selector() == wire::SELECTOR_KEYS && message.role() == wire::ROLE_AT_OWNER)
    return InvalidateAtOwner(id, TakeKeys(message));
  const bool is_main = message.role() == wire::ROLE_AT_OWNER;
  if (is_main || message.role() == wire::ROLE_COPIES) {
    if (const auto scope = ScopeFromWire(message))
      return Purge(id, *scope, is_main ? cache::PurgeRound::kMain : cache::PurgeRound::kCopies);
  }
  wire::Frame answer = NewFrame(id);
  if (message.selector() == wire::SELECTOR_KEYS && message.role() == wire::ROLE_COPIES) {
    const auto drop = [&service = context_.service, keys = TakeKeys(message),
                       sequence = message.sequence(), from = node_] {
      for (const std::string& key : keys)
        service.DropCopies({key, sequence}, from);
    };
    if (IsMutant(Mutant::kAcknowledgeBeforeDrop)) {
      loop_.After(kDropLate, drop);
    } else {
      drop();
    }
    answer.mutable_invalidate_reply()->set_done(true);
  } else {
    // Done in part it would be a promise broken: so not at all.
    *answer.mutable_invalidate_reply()->mutable_error() =
        ToWire(NotUnderstood(context_.self.name()));
  }
  channel_.Send(std::move(answer));
}

void PeerSession::Purge(uint64_t id, const cache::PurgeScope& scope, cache::PurgeRound round) {
  context_.service.Purge(
      loop_, scope, round,
      cache::Completion<cache::Result<bool>>::Make(
          loop_, [weak = weak_from_this(), id](const cache::Result<bool>& result) {
            const auto self = weak.lock();
            if (self == nullptr || self->state_ != State::kUp) return;
            wire::Frame answer = self->NewFrame(id);
            answer.mutable_invalidate_reply()->set_done(result.has_value());
            if (!result)
              *answer.mutable_invalidate_reply()->mutable_error() = ToWire(result.error());
            self->channel_.Send(std::move(answer));
          }));
}

void PeerSession::InvalidateAtOwner(uint64_t id, std::vector<std::string> keys) {
  context_.service.Invalidate(
      loop_, std::move(keys),
      cache::Completion<cache::Result<int64_t>>::Make(
          loop_, [weak = weak_from_this(), id](const cache::Result<int64_t>& count) {
            const auto self = weak.lock();
            if (self == nullptr || self->state_ != State::kUp) return;
            wire::Frame answer = self->NewFrame(id);
            wire::InvalidateReply& reply = *answer.mutable_invalidate_reply();
            reply.set_done(count.has_value());
            if (count) {
              reply.set_count(*count);
            } else {
              *reply.mutable_error() = ToWire(count.error());
            }
            self->channel_.Send(std::move(answer));
          }));
}

void PeerSession::OnCommand(wire::Frame& frame) {
  const uint64_t id = frame.id();
  std::vector<std::string> args;
  for (std::string& arg : *frame.mutable_command()->mutable_args())
    args.push_back(std::move(arg));
  context_.commands.Run(
      loop_, std::move(args),
      cache::Completion<cache::Result<CommandReply>>::Make(
          loop_, [weak = weak_from_this(), id](const cache::Result<CommandReply>& reply) {
            const auto self = weak.lock();
            if (self == nullptr || self->state_ != State::kUp) return;
            wire::Frame answer = self->NewFrame(id);
            cache::BlobPtr large = ToWire(reply, *answer.mutable_command_reply());
            std::vector<LargeField> fields;
            if (large != nullptr) fields.push_back({0, std::move(large)});
            self->channel_.Send(std::move(answer), fields);
          }));
}

}  // namespace cistern::cluster
