// SqliteOrigin: fills a group from a SQLite database. SQLite blocks, so it runs on threads of its
// own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "loader/deadlines.h"
#include "loader/job.h"
#include "loader/sqlite_connection.h"

namespace cistern::loader {

struct SqliteOptions {
  std::string group;
  std::string path;
  std::string query;  // one SELECT; ?1 is the key
  cache::Duration timeout = std::chrono::milliseconds(500);
  int connections = 2;         // each a thread
  int batch = 64;              // loads that one thread takes at a time, at most
  size_t queue_limit = 65536;  // loads waiting for a thread; more are answered with kOverload
};

// The key is bound as text, or as a blob when it is not valid UTF-8 (SQLite never finds the one
// equal to the other). The value is the first column of the first row: text and blobs as their
// bytes, numbers as text. No row, or NULL there: not found. The empty text is a value.
//
// A load not answered within `timeout` is answered with an error, and its query is interrupted. A
// database that somebody locks for longer than three quarters of that is an error that says so. If
// another file is put at the path (renamed over it), it is opened before the next load.
class SqliteOrigin final : public cache::Origin {
 public:
  // Opens every connection, so that a missing file, a wrong query, or one that writes is an error
  // now. Loads come from executors with indexes below `executors`.
  static cache::Result<std::unique_ptr<SqliteOrigin>> Open(SqliteOptions options, int executors);
  SqliteOrigin(const SqliteOrigin&) = delete;
  SqliteOrigin& operator=(const SqliteOrigin&) = delete;
  ~SqliteOrigin() override;

  void Load(cache::Executor& executor, std::string_view key, LoadDone done) override;
  // Also waits for the threads: at most until the running queries see that they are interrupted.
  void Shutdown() override;

 private:
  using Connections = std::vector<std::unique_ptr<SqliteConnection>>;

  SqliteOrigin(SqliteOptions options, int executors);
  cache::Result<std::unique_ptr<SqliteConnection>> NewConnection() const;
  void Serve(std::unique_ptr<SqliteConnection> connection);
  bool TakeBatch(std::vector<Job>& batch);
  void Answer(std::unique_ptr<SqliteConnection>& connection, Job& job);

  const SqliteOptions options_;
  std::vector<std::unique_ptr<Deadlines>> deadlines_;  // by executor; each used on its thread
  std::vector<std::thread> threads_;

  std::mutex mutex_;  // guards the next three
  std::condition_variable wake_;
  std::deque<Job> queue_;
  int idle_threads_ = 0;
  std::atomic<bool> stopping_{false};  // set under the mutex, read anywhere
  std::once_flag joined_;
};

}  // namespace cistern::loader
