// A temporary database, and a sqlite origin on it.
#pragma once

#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>

#include "loader/sqlite.h"
#include "tests/loader/loader_fixture.h"

namespace cistern::loader {

// A connection that may write.
class Database {
 public:
  explicit Database(const std::string& path) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &db_), SQLITE_OK);
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() { sqlite3_close(db_); }

  void Run(const std::string& sql) {
    EXPECT_EQ(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db_);
  }

 private:
  sqlite3* db_ = nullptr;
};

class SqliteTest : public LoaderTest {
 protected:
  SqliteTest() {
    char pattern[] = "/tmp/cistern-sqlite-XXXXXX";
    folder_ = mkdtemp(pattern);
    options_.group = "users";
    options_.path = folder_ + "/users.db";
    options_.query = "SELECT v FROM t WHERE k = ?1";
    options_.timeout = std::chrono::seconds(30);
    options_.connections = 1;
    clean_up_ = [this] {
      if (origin_) origin_->Shutdown();
    };
  }
  ~SqliteTest() override {
    origin_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Fill(const std::string& path, const std::string& sql) {
    Database(path).Run("CREATE TABLE t (k, v);" + sql);
  }
  void Fill(const std::string& sql) { Fill(options_.path, sql); }

  void Open() {
    auto opened = SqliteOrigin::Open(options_, 1);
    ASSERT_TRUE(opened.has_value()) << opened.error().text;
    origin_ = std::move(*opened);
  }
  // Why it cannot be opened.
  std::string OpenError() {
    const auto opened = SqliteOrigin::Open(options_, 1);
    return opened ? "opened" : opened.error().text;
  }

  std::string folder_;
  SqliteOptions options_;
};

// Answers every key with itself, but "slow" never.
inline constexpr const char* kSlowQuery =
    "SELECT CASE WHEN ?1 = 'slow' THEN (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 "
    "FROM c) SELECT count(*) FROM c) ELSE ?1 END";

}  // namespace cistern::loader
