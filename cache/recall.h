// Recall: one notice's way: every holder of one key acknowledges, or its lease runs out.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cache/context.h"
#include "cache/write_path.h"

namespace cistern::cache {

// Runs on one executor's thread and keeps itself alive until done.
class Recall : public std::enable_shared_from_this<Recall> {
 public:
  // `recalled` was drawn in the critical section that changed the key. `done` is called once.
  static void Start(Context& context, Executor& executor, Recalled recalled,
                    std::function<void()> done);

 private:
  Recall(Context& context, Executor& executor, Recalled recalled, std::function<void()> done);
  void Send();
  void OnAcknowledged(const Holder& holder);
  // A timer only wakes; a fresh reading decides whose lease has ended.
  void DropEnded();
  void AwaitEnds();

  Context& context_;
  Executor& executor_;
  const std::string key_;
  const uint64_t sequence_;
  std::vector<Holder> left_;
  std::function<void()> done_;
  Executor::TimerId timer_ = 0;
};

}  // namespace cistern::cache
