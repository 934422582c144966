// Budget: the one place where memory is counted. Every charge, client buffers included, goes
// through one.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace cistern::cache {

enum class ChargeKind : uint8_t {
  kEntries,  // keys and small values in the store, with all overhead
  kValues,   // large values: stored, under way or pinned by replies
  kClients,  // clients' read and reply buffers
  kFlights,  // loads under way and those who wait for them
  kHolders,  // records of leases granted
  kPeers,    // what came from peers and is not whole yet, or waits to be sent to them
};
inline constexpr size_t kChargeKinds = 6;

// All methods may be called from any thread. Counts, never refuses: who inserts asks Excess() and
// evicts, who accepts asks before it accepts.
class Budget {
 public:
  // What is charged to it is charged to `parent` as well, which outlives it.
  explicit Budget(uint64_t limit_bytes, Budget* parent = nullptr)
      : limit_(limit_bytes), parent_(parent) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  void Add(ChargeKind kind, uint64_t bytes) {
    Slot(kind).fetch_add(bytes, std::memory_order_relaxed);
    if (parent_ != nullptr) parent_->Add(kind, bytes);
  }
  void Release(ChargeKind kind, uint64_t bytes) {
    Slot(kind).fetch_sub(bytes, std::memory_order_relaxed);
    if (parent_ != nullptr) parent_->Release(kind, bytes);
  }

  uint64_t limit() const { return limit_.load(std::memory_order_relaxed); }
  uint64_t used(ChargeKind kind) const {
    return used_[static_cast<size_t>(kind)].load(std::memory_order_relaxed);
  }
  uint64_t used() const {
    uint64_t sum = 0;
    for (const auto& slot : used_)
      sum += slot.load(std::memory_order_relaxed);
    return sum;
  }
  // Bytes above the limit, 0 when within it.
  uint64_t Excess() const {
    const uint64_t now = used();
    return now > limit() ? now - limit() : 0;
  }

 private:
  std::atomic<uint64_t>& Slot(ChargeKind kind) { return used_[static_cast<size_t>(kind)]; }

  std::atomic<uint64_t> limit_;
  Budget* const parent_;
  std::array<std::atomic<uint64_t>, kChargeKinds> used_{};
};

// A charge that releases itself.
class Charge {
 public:
  Charge() = default;
  Charge(Budget& budget, ChargeKind kind, uint64_t bytes)
      : budget_(&budget), kind_(kind), bytes_(bytes) {
    budget.Add(kind, bytes);
  }
  Charge(Charge&& other) noexcept { *this = std::move(other); }
  Charge& operator=(Charge&& other) noexcept {
    if (this != &other) {
      Reset();
      budget_ = std::exchange(other.budget_, nullptr);
      kind_ = other.kind_;
      bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
  }
  ~Charge() { Reset(); }

  // Charges `bytes` from now on instead of what it did.
  void Resize(uint64_t bytes) {
    if (budget_ == nullptr) return;
    if (bytes > bytes_) budget_->Add(kind_, bytes - bytes_);
    if (bytes < bytes_) budget_->Release(kind_, bytes_ - bytes);
    bytes_ = bytes;
  }
  void Reset() {
    if (budget_ != nullptr) budget_->Release(kind_, bytes_);
    budget_ = nullptr;
    bytes_ = 0;
  }
  uint64_t bytes() const { return bytes_; }

 private:
  Budget* budget_ = nullptr;
  ChargeKind kind_ = ChargeKind::kEntries;
  uint64_t bytes_ = 0;
};

}  // namespace cistern::cache
