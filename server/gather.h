// Gather: asks every worker of the node something, and brings the answers together.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "server/call.h"
#include "server/worker.h"

namespace cistern::server {

// Runs ask(Worker&) on each worker's own thread; when all have answered, tell(std::vector<R>) on
// `home`'s, in any order of the workers. Never if a worker has ended meanwhile. Called on `home`'s
// thread.
template <class R, class Ask, class Tell>
void Gather(Worker& home, Ask ask, Tell tell) {
  // Touched on `home`'s thread only.
  struct Answers {
    explicit Answers(Tell to) : tell(std::move(to)) {}
    Tell tell;
    std::vector<R> all;
  };
  const auto answers = std::make_shared<Answers>(std::move(tell));
  const size_t workers = home.all().size();
  for (Worker* worker : home.all()) {
    worker->loop().Post([worker, &home, ask, answers, workers] {
      home.loop().Post([answers, workers, answer = ask(*worker)] {
        answers->all.push_back(answer);
        if (answers->all.size() == workers) answers->tell(std::move(answers->all));
      });
    });
  }
}

// The same for a command: write(Reply&, std::vector<R>) writes its reply.
template <class R, class Ask, class Write>
void ReplyFromAllWorkers(Call& call, Ask ask, Write write) {
  Gather<R>(call.worker(), std::move(ask), [pending = call.Pend(), write](std::vector<R> answers) {
    write(pending->reply(), std::move(answers));
    pending->Finish();
  });
}

}  // namespace cistern::server
