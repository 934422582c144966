// ClientEviction: who pays when `memory` is full and no entry is left to go: the clients that cost
// most, as with Redis's maxmemory-clients.
#pragma once

#include <cstdint>
#include <vector>

namespace cistern::server {

class Worker;

// One a worker, used on its thread; that of the node's first worker decides for all.
class ClientEviction {
 public:
  explicit ClientEviction(Worker& worker) : worker_(worker) {}
  ClientEviction(const ClientEviction&) = delete;
  ClientEviction& operator=(const ClientEviction&) = delete;

  // Somebody has asked, and nothing is decided yet.
  bool is_under_way() const { return has_asked_; }
  // So many bytes are too much, and there is no entry to evict for them. Soon closes clients of the
  // node, the costliest first, until what they cost is at least as much. Never one that is exempt
  // (CLIENT NO-EVICT), nor one that costs no more than its fair share.
  void Ask(uint64_t excess);

 private:
  struct Candidate {
    uint64_t bytes;
    uint64_t id;
    Worker* worker;
  };

  void Begin(uint64_t excess);
  static std::vector<Candidate> Candidates(Worker& worker);
  void Decide(std::vector<Candidate> candidates);

  Worker& worker_;
  bool has_asked_ = false;  // and has not heard of a decision since
  // The first worker's.
  bool is_gathering_ = false;
  uint64_t excess_ = 0;  // the most that was asked for since the last decision
};

}  // namespace cistern::server
