#include "loader/sqlite.h"

#include <algorithm>
#include <cassert>

namespace cistern::loader {

cache::Result<std::unique_ptr<SqliteOrigin>> SqliteOrigin::Open(SqliteOptions options,
                                                                int executors) {
  std::unique_ptr<SqliteOrigin> origin(new SqliteOrigin(std::move(options), executors));
  Connections connections;
  for (int i = 0; i < origin->options_.connections; ++i) {
    auto connection = origin->NewConnection();
    if (!connection) return tl::unexpected(connection.error());
    connections.push_back(std::move(*connection));
  }
  for (auto& connection : connections) {
    origin->threads_.emplace_back([self = origin.get(), mine = std::move(connection)]() mutable {
      self->Serve(std::move(mine));
    });
  }
  return origin;
}

SqliteOrigin::SqliteOrigin(SqliteOptions options, int executors)
    : options_(std::move(options)), deadlines_(static_cast<size_t>(executors)) {
  assert(options_.connections > 0 && options_.batch > 0);
}

SqliteOrigin::~SqliteOrigin() {
  Shutdown();
}

cache::Result<std::unique_ptr<SqliteConnection>> SqliteOrigin::NewConnection() const {
  return SqliteConnection::Open(
      {options_.group, options_.path, options_.query, options_.timeout * 3 / 4});
}

void SqliteOrigin::Load(cache::Executor& executor, std::string_view key, LoadDone done) {
  auto& deadlines = deadlines_[static_cast<size_t>(executor.index())];
  if (!deadlines)
    deadlines = std::make_unique<Deadlines>(executor, options_.group, options_.timeout);
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && queue_.size() < options_.queue_limit) {
      queue_.push_back({std::string(key), done});
      wake = idle_threads_ > 0;
    } else {
      done->Done(Failed(stopping_
                            ? cache::errors::Shutdown()
                            : cache::errors::TooManyLoads(options_.group, options_.queue_limit)));
      return;
    }
  }
  if (wake) wake_.notify_one();
  deadlines->Add(std::move(done));
}

void SqliteOrigin::Serve(std::unique_ptr<SqliteConnection> connection) {
  std::vector<Job> batch;
  while (TakeBatch(batch)) {
    if (connection && connection->HasMoved()) connection.reset();
    for (Job& job : batch) {
      Answer(connection, job);
      job.done.reset();
    }
  }
}

// False: the origin stops. Leaves the other threads their share.
bool SqliteOrigin::TakeBatch(std::vector<Job>& batch) {
  batch.clear();
  std::unique_lock lock(mutex_);
  ++idle_threads_;
  wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  --idle_threads_;
  if (stopping_) return false;
  const size_t share = queue_.size() / static_cast<size_t>(options_.connections) + 1;
  const size_t count = std::min({share, queue_.size(), static_cast<size_t>(options_.batch)});
  for (size_t i = 0; i < count; ++i) {
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return true;
}

void SqliteOrigin::Answer(std::unique_ptr<SqliteConnection>& connection, Job& job) {
  if (stopping_) {
    job.done->Done(Failed(cache::errors::Shutdown()));
    return;
  }
  if (!job.done->pending()) return;  // nobody waits any more
  if (!connection) {
    auto opened = NewConnection();
    if (!opened) {
      job.done->Done(Failed(opened.error()));
      return;
    }
    connection = std::move(*opened);
  }
  LoadResult result =
      connection->Load(job.key, [this, &job] { return !stopping_ && job.done->pending(); });
  if (!result && stopping_) result = Failed(cache::errors::Shutdown());
  job.done->Done(std::move(result));
}

void SqliteOrigin::Shutdown() {
  std::deque<Job> left;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    left.swap(queue_);
  }
  wake_.notify_all();
  for (const Job& job : left)
    job.done->Done(Failed(cache::errors::Shutdown()));
  std::call_once(joined_, [this] {
    for (std::thread& thread : threads_)
      thread.join();
  });
}

}  // namespace cistern::loader
