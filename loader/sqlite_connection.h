// SqliteConnection: one read-only connection with its prepared query. Used by one thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "cache/clock.h"
#include "loader/job.h"

struct sqlite3;
struct sqlite3_stmt;

namespace cistern::loader {

class SqliteConnection {
 public:
  struct Settings {
    std::string group;  // names the trouble in errors
    std::string path;
    std::string query;
    cache::Duration busy_limit;  // how long a locked database is waited for
  };

  // Opens the file and prepares the query. The error names file or query, and SQLite's reason.
  static cache::Result<std::unique_ptr<SqliteConnection>> Open(Settings settings);
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;
  ~SqliteConnection();

  // Runs the query for `key` in a transaction of its own. `wanted` is asked now and then while it
  // runs; once it says false the query is interrupted, and the result is some error.
  LoadResult Load(std::string_view key, const std::function<bool()>& wanted);
  // Whether another file stands at the path now.
  bool HasMoved() const;

 private:
  explicit SqliteConnection(Settings settings) : settings_(std::move(settings)) {}

  cache::Result<void> Prepare();
  int Bind(std::string_view key);
  LoadResult Step();
  cache::Error Failure() const;
  bool IsWanted() const { return wanted_ == nullptr || (*wanted_)(); }
  static int OnProgress(void* self);
  static int OnBusy(void* self, int times);

  const Settings settings_;
  sqlite3* db_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
  std::chrono::steady_clock::time_point busy_since_;
  const std::function<bool()>* wanted_ = nullptr;  // of the query that runs
};

}  // namespace cistern::loader
