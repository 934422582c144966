#include "cache/holders.h"

#include <algorithm>

#include "cache/mutant.h"

namespace cistern::cache {
namespace {

constexpr uint64_t kNodeBytes = 64;  // of the hash table's node, besides the key and the records

}  // namespace

// 1 % for clocks that run at different speeds, 20 ms for a reading taken before a thread was held
// up.
Instant LeaseEnd(Instant granted, Duration lease) {
  return granted + lease + lease / 100 + std::chrono::milliseconds(20);
}

void Holders::Recharge(std::string_view key, int64_t records) {
  const auto bytes = static_cast<uint64_t>(records) * (sizeof(Holder) + kNodeBytes + key.size());
  size_ += static_cast<uint64_t>(records);
  charged_ += bytes;
  budget_.Add(ChargeKind::kHolders, bytes);  // unsigned: a negative number of records subtracts
}

template <class DropWhich>
void Holders::DropIf(Table::iterator at, DropWhich drop) {
  auto& [key, holders] = *at;
  const auto dropped = static_cast<int64_t>(std::erase_if(holders, drop));
  Recharge(key, -dropped);
  if (holders.empty()) table_.erase(at);
}

uint64_t Holders::Grant(std::string_view key, NodeId node, Incarnation incarnation, Instant now,
                        Duration lease) {
  auto at = table_.find(key);
  if (at != table_.end()) {
    for (Holder& holder : at->second) {
      if (holder.node != node || holder.incarnation != incarnation) continue;
      holder.granted = ++sequence_;
      holder.ends = std::max(holder.ends, LeaseEnd(now, lease));
      return holder.granted;
    }
  }
  if (size_ >= capacity_) return 0;
  if (at == table_.end()) at = table_.emplace(key, std::vector<Holder>()).first;
  at->second.push_back({node, incarnation, ++sequence_, LeaseEnd(now, lease)});
  Recharge(key, 1);
  return sequence_;
}

uint64_t Holders::StartNotice(std::string_view key, Instant now, std::vector<Holder>* holders) {
  holders->clear();
  auto at = table_.find(key);
  if (at != table_.end()) {
    for (const Holder& holder : at->second) {
      if (holder.ends > now) holders->push_back(holder);
    }
    if (IsMutant(Mutant::kClearedOnSend)) Forget(key);
  }
  if (const Instant until = grace_.until(); until > now) {
    holders->push_back({.node = kForgottenHolder, .ends = until});
  }
  return ++sequence_;
}

void Holders::Acknowledge(std::string_view key, NodeId node, Incarnation incarnation,
                          uint64_t sequence) {
  auto at = table_.find(key);
  if (at == table_.end()) return;
  DropIf(at, [&](const Holder& holder) {
    return holder.node == node && holder.incarnation == incarnation &&
           (holder.granted < sequence || IsMutant(Mutant::kClearsLaterGrant));
  });
}

void Holders::Forget(std::string_view key) {
  auto at = table_.find(key);
  if (at != table_.end()) DropIf(at, [](const Holder&) { return true; });
}

void Holders::Reclaim(Instant now, size_t buckets) {
  std::vector<std::string> ended;
  const size_t visits = std::min(buckets, size_ > 0 ? table_.bucket_count() : 0);
  for (size_t i = 0; i < visits; ++i) {
    reclaim_cursor_ = (reclaim_cursor_ + 1) % table_.bucket_count();
    for (auto at = table_.begin(reclaim_cursor_); at != table_.end(reclaim_cursor_); ++at) {
      const bool any = std::any_of(at->second.begin(), at->second.end(),
                                   [&](const Holder& holder) { return holder.ends <= now; });
      if (any) ended.push_back(at->first);
    }
  }
  for (const std::string& key : ended) {
    DropIf(table_.find(key), [&](const Holder& holder) { return holder.ends <= now; });
  }
}

}  // namespace cistern::cache
