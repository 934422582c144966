// WritePath: invalidations and writes at the owner: the one place where a key's value ends.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cache/context.h"

namespace cistern::cache {

// What an update makes of a key.
struct Change {
  enum class Kind : uint8_t { kNone, kStore, kLive, kErase, kTooLarge };
  Kind kind = Kind::kNone;
  BlobPtr value;             // kStore
  Instant expires = kNever;  // kStore, kLive: an end that has passed erases

  static Change None() { return {}; }
  static Change Store(BlobPtr value, Instant expires) {
    return {Kind::kStore, std::move(value), expires};
  }
  // The same value, until then. REQUIRES: there is one.
  static Change Live(Instant expires) { return {Kind::kLive, nullptr, expires}; }
  static Change Erase() { return {Kind::kErase, nullptr, kNever}; }
  // Nothing, and an error: of a value that need not be made first.
  static Change TooLarge() { return {Kind::kTooLarge, nullptr, kNever}; }
};

// Sees the key's value (null: there is none, so far as this node knows) and decides. Called once,
// under the shard's lock: copies or pins what it needs, calls nothing that waits.
using Decide = std::function<Change(const Entry* present)>;

// What an update may touch. A group that takes no writes refuses the first; there a life may only
// be shortened: an update that would lengthen it changes nothing.
enum class Touches : uint8_t { kValue, kLife };

// A change that holders of leased copies must hear of before it is answered.
struct Recalled {
  std::string key;
  uint64_t sequence = 0;
  std::vector<Holder> holders;  // at least one
};
using Recalls = std::vector<Recalled>;

// At the owner only, which is asked for under the shard's lock: kNotOwner elsewhere. In one
// critical section the entry changes, the key's flights are detached and its lease holders listed.
// The change is made when the call returns; its result may be told at once when `recalls` is empty,
// else when Confirm() says so.
class WritePath {
 public:
  explicit WritePath(Context& context) : context_(context) {}

  // Whether an entry was there (a negative one does not count). An absent key is invalidated all
  // the same: a flight or a copy of it may be under way. (thread-safe)
  Result<bool> Invalidate(const Group& group, Key key, Recalls* recalls);
  // Everything else that a client may do to a value or its life: looks, decides and changes in that
  // one critical section. Whether anything was changed: if not, nobody need hear of it. kNoWrite
  // where the group refuses it, kTooLarge for a value that could not be kept: then nothing has
  // changed. Erasing an absent key is a change too: copies of it may be about. (thread-safe)
  Result<bool> Update(Group& group, Key key, Touches touches, const Decide& decide,
                      Recalls* recalls);

  // Tells all holders. Calls `confirmed` once each has acknowledged or its lease has run out: on
  // `executor`'s thread, and inside this call when there is nobody to tell.
  void Confirm(Executor& executor, Recalls recalls, std::function<void()> confirmed);

 private:
  bool CanKeep(const Group& group, std::string_view key, const BlobPtr& value) const;
  Error TooLarge(const Group& group) const;
  Error NotOwner() const { return errors::NotOwner(context_.picker.SelfName()); }
  // Under the shard's lock.
  void Apply(Shard& shard, const Group& group, Key key, Change change);
  // Every change of a key passes here, under the shard's lock, together with the change of the
  // entry.
  void Begin(Shard& shard, const Group& group, Key key, Instant now, Recalls* recalls);

  Context& context_;
};

}  // namespace cistern::cache
