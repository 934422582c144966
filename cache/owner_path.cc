#include "cache/owner_path.h"

#include <algorithm>

#include "cache/mutant.h"

namespace cistern::cache {
namespace {

constexpr uint64_t kFlightBytes = sizeof(Flight) + 128;  // with its table's node and the load's

}  // namespace

Loaded LoadedFrom(const Entry& entry) {
  Loaded loaded;
  loaded.version = entry.version();
  if (entry.negative()) return loaded;
  loaded.value = entry.blob() != nullptr ? BlobPtr(entry.blob()) : MakeBlob(entry.value());
  return loaded;
}

Duration TtlOf(const Entry& entry, Instant now) {
  return entry.expires() == kNever ? Duration(0) : std::max(entry.expires() - now, Duration(1));
}

bool FitsAccount(const Account& account, std::string_view key, const BlobPtr& value) {
  if (key.size() > kMaxKeyBytes) return false;
  return sizeof(Entry) + key.size() + (value ? value->charge() : 0) <= account.largest_entry();
}

// What the critical section of a GET found, to be acted upon outside it.
struct OwnerPath::Look {
  std::optional<GetOutcome> outcome = GetOutcome::kLoad;  // nothing: the key is not owned
  Result<Loaded> answer;                                  // unless kLoad
  Lease lease;
  Duration ttl{0};
  std::shared_ptr<Flight> started;  // kLoad: the flight to start, null when one was joined
};

std::optional<GetOutcome> OwnerPath::Get(Executor& executor, Group& group, Key key,
                                         Waiter& waiter) {
  Look look;
  {
    Shard& shard = context_.store.ShardOf(key.hash);
    const Instant now = context_.clock.Now();
    std::lock_guard lock(shard.mutex);
    Entry* entry = shard.entries.Find(key.bytes, key.hash, now);
    if (entry != nullptr && entry->role() == Role::kMain) {
      shard.entries.Hit(entry, key.hash);
      waiter.source = Source::kMain;
      look.outcome = entry->negative() ? GetOutcome::kNegative : GetOutcome::kHit;
      look.answer = LoadedFrom(*entry);
      look.ttl = TtlOf(*entry, now);
      look.lease = GrantTo(waiter, shard, group, key.bytes, look.ttl);
    } else {
      look = JoinOrMake(shard, group, key, waiter);
    }
  }
  if (look.outcome && look.outcome != GetOutcome::kLoad) {
    waiter.Finish(look.answer, look.lease, look.ttl);
  }
  if (look.started) Start(executor, look.started);
  return look.outcome;
}

bool OwnerPath::Find(Group& group, Key key, Instant now, const Waiter& peer,
                     const TakeReply& take) {
  Shard& shard = context_.store.ShardOf(key.hash);
  std::lock_guard lock(shard.mutex);
  Entry* entry = shard.entries.Find(key.bytes, key.hash, now);
  if (entry == nullptr || entry->role() != Role::kMain) return false;
  shard.entries.Hit(entry, key.hash);
  PeerReply reply;
  reply.loaded.version = entry->version();
  if (!entry->negative()) {
    if (const Blob* blob = entry->blob()) {
      reply.loaded.value = BlobPtr(blob);
    } else {
      reply.lent = entry->value();
    }
  }
  reply.ttl = TtlOf(*entry, now);
  const Lease lease = GrantTo(peer, shard, group, key.bytes, reply.ttl);
  reply.lease = lease.length;
  reply.sequence = lease.sequence;
  take(reply);
  return true;
}

OwnerPath::Look OwnerPath::JoinOrMake(Shard& shard, Group& group, Key key, Waiter& waiter) {
  Look look;
  if (!group.TryWait()) {
    look.outcome = GetOutcome::kRefused;
    look.answer = tl::unexpected(errors::TooManyWaiters(group.name(), group.config().max_waiters));
    return look;
  }
  const uint32_t mark = context_.store.marks().Of(group.index(), Role::kMain);
  if (Flight* flight = shard.flights.Find(key.bytes)) {
    if (flight->mark == mark) {
      waiter.source = Source::kJoined;
      flight->waiters.push_back(std::move(waiter));
      return look;
    }
    shard.flights.Detach(key.bytes);  // a purge has passed since it began
  }
  if (!context_.Owns(key.bytes)) {
    group.EndWaits(1);
    look.outcome = std::nullopt;
    return look;
  }
  if (auto refused = context_.StartLoad(group)) {
    group.EndWaits(1);
    look.outcome = GetOutcome::kRefused;
    look.answer = tl::unexpected(std::move(*refused));
    return look;
  }
  look.started = std::make_shared<Flight>();
  look.started->key = key.bytes;
  look.started->hash = key.hash;
  look.started->group = &group;
  look.started->mark = mark;
  look.started->waiters.push_back(std::move(waiter));
  look.started->charge = Charge(context_.store.in_flight(group.index()), ChargeKind::kFlights,
                                kFlightBytes + key.bytes.size());
  shard.flights.Add(look.started);
  return look;
}

void OwnerPath::Start(Executor& executor, const std::shared_ptr<Flight>& flight) {
  Group& group = *flight->group;
  group.stats(executor.index()).loads_deduped.Add();
  group.stats(executor.index()).local_loads.Add();
  flight->started = context_.clock.Now();
  auto done =
      Completion<Result<Loaded>>::Make(executor, [this, &executor, flight](Result<Loaded> result) {
        Land(executor, flight, std::move(result));
      });
  group.origin().Load(executor, group.BackendKey(flight->key), std::move(done));
}

void OwnerPath::Land(Executor& executor, const std::shared_ptr<Flight>& flight,
                     Result<Loaded> result) {
  Group& group = *flight->group;
  if (!result) group.stats(executor.index()).local_load_errors.Add();
  if (result && result->value) result->value->ChargeTo(context_.store.in_flight(group.index()));

  Waiters waiters;
  std::vector<Lease> leases;
  std::optional<Duration> ttl;
  Shard& shard = context_.store.ShardOf(flight->hash);
  {
    const Instant now = context_.clock.Now();
    group.latencies(executor.index()).load.Add(now - flight->started);
    group.health().Note(result ? nullptr : &result.error(), now);
    std::lock_guard lock(shard.mutex);
    shard.flights.Remove(*flight);
    waiters.swap(flight->waiters);
    if (result && !flight->detached) ttl = Keep(executor, shard, *flight, *result, now);
    if (result && flight->detached && IsMutant(Mutant::kDetachedGrants)) ttl = Duration(0);
    for (const Waiter& waiter : waiters) {
      leases.push_back(ttl ? GrantTo(waiter, shard, group, flight->key, *ttl) : Lease());
    }
  }
  group.EndLoad();
  group.EndWaits(static_cast<uint32_t>(waiters.size()));
  if (ttl) context_.store.MakeRoom(group.index());
  for (size_t i = 0; i < waiters.size(); ++i) {
    waiters[i].Finish(result, leases[i], ttl.value_or(Duration(0)));
  }
}

std::optional<Duration> OwnerPath::Keep(Executor& executor, Shard& shard, const Flight& flight,
                                        const Loaded& loaded, Instant now) {
  const GroupConfig& config = flight.group->config();
  const Pick pick = context_.picker.Owner(flight.key);
  if (!pick.is_self) return std::nullopt;
  if (flight.mark != context_.store.marks().Of(flight.group->index(), Role::kMain)) {
    return std::nullopt;
  }
  Duration ttl = loaded.value ? loaded.ttl.value_or(config.ttl) : config.negative_ttl;
  if (!loaded.value && ttl == Duration(0)) return std::nullopt;
  if (loaded.value && loaded.value->bytes().size() > config.max_value) return std::nullopt;
  // Also what does not exist: a peer may ask for keys that no client may.
  const Account& account = context_.store.account(flight.group->index());
  if (!FitsAccount(account, flight.key, loaded.value)) return std::nullopt;
  const double kept = 1 - config.ttl_jitter * context_.Fraction(executor);
  if (ttl > Duration(0)) {
    // Never down to 0, which has no end.
    const auto shortened = static_cast<Duration::rep>(static_cast<double>(ttl.count()) * kept);
    ttl = Duration(std::max<Duration::rep>(shortened, 1));
  }
  Instant expires = ttl > Duration(0) ? now + ttl : kNever;
  if (pick.disputed) expires = std::min(expires, flight.started + config.hot_lease);
  expires = std::min(expires, shard.hold_off.End(flight.hash, flight.started, config.hold_off));
  if (expires <= now) return std::nullopt;
  shard.entries.Put({.key = flight.key,
                     .hash = flight.hash,
                     .group = flight.group->index(),
                     .mark = flight.mark,
                     .value = loaded.value,
                     .expires = expires,
                     .version = loaded.version});
  return expires == kNever ? Duration(0) : expires - now;
}

Lease OwnerPath::GrantTo(const Waiter& waiter, Shard& shard, const Group& group,
                         std::string_view key, Duration ttl) {
  const Duration length = group.config().hot_lease;
  if (waiter.wish != Wish::kLease || !group.hot()) return {};
  if (context_.leaving.load(std::memory_order_relaxed)) return {};
  // What is about to expire is not worth a record, and its TTL would be 0, "no end", on the wire.
  if (ttl > Duration(0) && ttl < std::chrono::milliseconds(1)) return {};
  const uint64_t sequence =
      shard.holders.Grant(key, waiter.node, waiter.incarnation, context_.clock.Now(), length);
  if (sequence == 0) return {};
  return {length, sequence};
}

}  // namespace cistern::cache
