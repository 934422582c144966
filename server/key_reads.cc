#include "server/key_reads.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "cache/recycler.h"
#include "server/error_texts.h"
#include "server/replies.h"
#include "server/worker.h"

namespace cistern::server {
namespace {

using cache::Answer;
using cache::Completion;
using cache::CompletionPtr;
using cache::Found;
using cache::Key;
using cache::Result;

// What is kept of ReadValues' memory from one request to the next.
constexpr size_t kKeptBytes = size_t{64} << 10;
constexpr size_t kKeptValues = 1024;

Found AsFound(const Answer& answer) {
  if (answer.lent) return {Found::Kind::kValue, *answer.lent, nullptr};
  if (answer.value == nullptr) return {Found::Kind::kNotFound, {}, nullptr};
  return {Found::Kind::kValue, answer.value->bytes(), answer.value.get()};
}

// A load on behalf of one request.
class LoadOne final : public Completion<Result<Answer>>, private Deadlines::Item {
 public:
  static void Start(Call& call, const WriteFound& write) {
    const auto load = std::allocate_shared<LoadOne>(cache::Recycler<LoadOne>(), call, write);
    Worker& worker = call.worker();
    worker.deadlines().Add(*load, call.now() + TimeLeft(call));
    // Whoever works on it holds it until it is done, and then the reply forgets this. But once it
    // is cancelled that may let go of it, on another thread.
    load->pending_->OnAbandon([it = load.get()] {
      const auto self = it->shared_from_this();
      it->Cancel();
    });
    worker.cache().Get(worker.loop(), call.key(), call.deadline(), load);
  }

  LoadOne(Call& call, const WriteFound& write)
      : Completion(call.worker().loop()),
        deadlines_(call.worker().deadlines()),
        limit_(TimeAllowed(call)),
        write_(write),
        pending_(call.Pend()) {}
  ~LoadOne() override { Drop(); }

 private:
  void Run(Result<Answer> answer) override {
    deadlines_.Remove(*this);
    const PendingReplyPtr pending = std::move(pending_);
    if (answer) {
      write_(pending->reply(), AsFound(*answer));
    } else {
      WriteError(pending->reply(), answer.error());
    }
    pending->Finish();
  }
  void Drop() override {
    deadlines_.Remove(*this);
    if (const PendingReplyPtr pending = std::move(pending_)) pending->ForgetAbandon();
  }
  void OnDeadline() override {
    const auto self = shared_from_this();
    DoneNow(tl::unexpected(cache::errors::Timeout(limit_)));
  }

  Deadlines& deadlines_;
  const cache::Duration limit_;
  const WriteFound write_;
  PendingReplyPtr pending_;
};

// The loads of one request with several misses. Owned by their completions; all on one thread.
class LoadMany : public std::enable_shared_from_this<LoadMany> {
 public:
  LoadMany(ReadValues values, const WriteValues& write)
      : values_(std::move(values)), write_(write) {}

  void Start(Call& call, const std::vector<std::pair<size_t, Key>>& missing) {
    pending_ = call.Pend();
    left_ = missing.size();
    // One timer for all: the parts need none.
    deadline_ = Completion<Result<bool>>::Make(
        call.worker().loop(),
        [self = shared_from_this()](const Result<bool>& r) { self->Finish(r.error()); },
        TimeLeft(call), Late<bool>(call));
    pending_->OnAbandon([self = shared_from_this()] { self->Cancel(); });
    for (const auto& [at, key] : missing) {
      loads_.push_back(Completion<Result<Answer>>::Make(
          call.worker().loop(), [self = shared_from_this(), i = at](const Result<Answer>& answer) {
            self->OnLoaded(i, answer);
          }));
      call.worker().cache().Get(call.worker().loop(), key, call.deadline(), loads_.back());
    }
  }

 private:
  void OnLoaded(size_t i, const Result<Answer>& answer) {
    if (!answer) return Finish(answer.error());
    values_.PutLoaded(i, *answer);
    if (--left_ == 0) Finish(std::nullopt);
  }

  void Finish(const std::optional<cache::Error>& error) {
    const auto self = shared_from_this();  // Cancel() frees the handlers that own this
    const PendingReplyPtr pending = pending_;
    Cancel();
    if (error) {
      WriteError(pending->reply(), *error);
    } else {
      write_(pending->reply(), values_);
    }
    pending->Finish();
  }

  void Cancel() {
    deadline_->Cancel();
    for (const auto& load : loads_)
      load->Cancel();
    loads_.clear();
    pending_.reset();
  }

  ReadValues values_;
  const WriteValues write_;
  PendingReplyPtr pending_;
  CompletionPtr<Result<bool>> deadline_;
  std::vector<CompletionPtr<Result<Answer>>> loads_;
  size_t left_ = 0;
};

}  // namespace

void ReadValues::Reset(Keep keep, size_t keys) {
  keep_ = keep;
  if (small_.capacity() > kKeptBytes) std::string().swap(small_);
  small_.clear();
  if (values_.capacity() > kKeptValues) std::vector<Value>().swap(values_);
  values_.assign(keys, {});
}

void ReadValues::Put(size_t i, const Found& found) {
  Value& value = values_[i];
  value.found = found.kind == Found::Kind::kValue;
  if (!value.found || keep_ == Keep::kPresence) return;
  if (found.blob != nullptr) {
    value.blob = cache::BlobPtr(found.blob);
    return;
  }
  value.offset = small_.size();
  value.size = found.value.size();
  small_.append(found.value);
}

void ReadValues::PutLoaded(size_t i, const Answer& answer) {
  Put(i, AsFound(answer));
}

void ReadValues::Write(size_t i, Reply& reply) const {
  const Value& value = values_[i];
  if (!value.found) return reply.Null();
  if (value.blob != nullptr) return reply.Bulk(*value.blob);
  reply.Bulk(std::string_view(small_).substr(value.offset, value.size));
}

std::string_view ReadValues::bytes(size_t i) const {
  const Value& value = values_[i];
  if (value.blob != nullptr) return value.blob->bytes();
  return std::string_view(small_).substr(value.offset, value.size);
}

bool IsLocalOnly(Call& call, std::string_view key) {
  const auto& prefixes = call.worker().config().server.local_only_prefixes;
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [key](const std::string& prefix) { return key.starts_with(prefix); });
}

void ReadOne(Call& call, const WriteFound& write) {
  const Key key = call.key();
  const bool hit = call.worker().cache().FindOne(
      call.worker().loop(), key, call.now(),
      [&](const Found& found) { write(call.reply(), found); }, call.client().touches);
  if (hit) return;
  if (IsLocalOnly(call, key.bytes)) return write(call.reply(), AsFound({}));
  if (!call.worker().HasRoom()) return call.reply().Error(error_texts::kNoRoomToLoad);
  LoadOne::Start(call, write);
}

void ReadOne(Call& call) {
  ReadOne(call, call.command().found);
}

void ReadMany(Call& call, ReadValues::Keep keep, const WriteValues& write) {
  const std::span<const Key> keys = call.keys();
  thread_local ReadValues values;  // not to allocate for each request
  values.Reset(keep, keys.size());
  std::vector<std::pair<size_t, Key>> missing;
  call.worker().cache().Find(
      call.worker().loop(), keys, call.now(),
      [&](size_t i, const Found& found) {
        if (found.kind != Found::Kind::kMiss) return values.Put(i, found);
        if (!IsLocalOnly(call, keys[i].bytes)) {
          missing.emplace_back(i, keys[i]);
        }
      },
      call.client().touches);
  if (missing.empty()) {
    write(call.reply(), values);
  } else if (!call.worker().HasRoom()) {
    call.reply().Error(error_texts::kNoRoomToLoad);
  } else {
    std::make_shared<LoadMany>(std::exchange(values, {}), write)->Start(call, missing);
  }
  values.Reset(keep, 0);  // pins nothing
}

}  // namespace cistern::server
