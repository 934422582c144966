// A sqlite backend that is missing, wrong, locked, slow, damaged or stopped.
#include <fstream>

#include "loader/sqlite.h"
#include "tests/loader/sqlite_fixture.h"

namespace cistern::loader {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

TEST_F(SqliteTest, MissingFileIsRefusedAtOpenAndNotMade) {
  EXPECT_EQ(OpenError(),
            "users: cannot open database '" + options_.path + "': unable to open database file");
  EXPECT_FALSE(std::filesystem::exists(options_.path));
}

TEST_F(SqliteTest, FileThatIsNoDatabaseIsRefusedAtOpen) {
  std::ofstream(options_.path) << std::string(5000, 'x');
  EXPECT_THAT(OpenError(), HasSubstr("file is not a database"));
  EXPECT_THAT(OpenError(), HasSubstr(options_.path));
}

TEST_F(SqliteTest, WrongQueryIsRefusedAtOpenWithItsReason) {
  Fill("");
  const std::pair<const char*, const char*> cases[] = {
      {"SELEC 1", "syntax error"},
      {"SELECT v FROM u WHERE k = ?1", "no such table: u"},
      {"SELECT nope FROM t WHERE k = ?1", "no such column: nope"},
      {"SELECT v FROM t", "it must have one parameter"},
      {"SELECT v FROM t WHERE k = ?1 OR k = ?2", "it must have one parameter"},
      {"", "it is empty"},
      {"-- nothing", "it is empty"},
      {"SELECT v FROM t WHERE k = ?1; SELECT 2", "it is more than one statement"},
      {"DELETE FROM t WHERE k = ?1", "it writes"},
      {"INSERT INTO t VALUES (?1, 1) RETURNING v", "it writes"},
  };
  for (const auto& [query, reason] : cases) {
    options_.query = query;
    EXPECT_THAT(OpenError(), HasSubstr(reason)) << query;
    EXPECT_THAT(OpenError(), HasSubstr("users: query '" + options_.query + "'")) << query;
  }
}

TEST_F(SqliteTest, ErrorWhileRunningIsTheLoadsError) {
  Fill("");
  options_.query = "SELECT abs(-9223372036854775807 - length(?1))";
  Open();
  Load({"k"}, [this] { Load({""}, ThenFinish()); });
  Run();
  EXPECT_EQ(Outcome("k"), "BACKEND users: integer overflow");
  EXPECT_EQ(Outcome(""), "value 9223372036854775807");
}

TEST_F(SqliteTest, DatabaseLockedForTooLongIsAnErrorThatSaysSo) {
  Fill("INSERT INTO t VALUES ('k', 'x'), ('l', 'y')");
  options_.timeout = std::chrono::seconds(1);
  Open();
  auto writer = std::make_unique<Database>(options_.path);
  writer->Run("BEGIN EXCLUSIVE");
  Load({"k"}, [&] {
    writer.reset();
    Load({"l"}, ThenFinish());
  });
  Run();
  EXPECT_EQ(Outcome("k"), "BACKEND users: database is locked");
  EXPECT_EQ(Outcome("l"), "value y");
}

TEST_F(SqliteTest, LockThatIsReleasedInTimeCostsNothing) {
  Fill("INSERT INTO t VALUES ('k', 'x')");
  Open();
  auto writer = std::make_unique<Database>(options_.path);
  writer->Run("BEGIN EXCLUSIVE");
  Load({"k"}, ThenFinish());
  loop_.After(milliseconds(10), [&] { writer.reset(); });
  Run();
  EXPECT_EQ(Outcome("k"), "value x");
}

TEST_F(SqliteTest, QueryThatTakesTooLongIsATimeoutAndItsThreadIsFreeAgain) {
  Fill("");
  options_.query = kSlowQuery;
  options_.timeout = milliseconds(50);
  Open();
  // Asked until it answers: the only thread would run the first query for ever, had that not been
  // interrupted.
  const std::function<void()> ask = [&] {
    Load({"fast"}, [&] { outcomes_["fast"].back() == "value fast" ? Finish() : ask(); });
  };
  Load({"slow"}, ask);
  Run();
  EXPECT_EQ(Outcome("slow"), "BACKEND users: timeout after 50 ms");
}

TEST_F(SqliteTest, CancelledQueryIsInterrupted) {
  Fill("");
  options_.query = kSlowQuery;
  Open();
  const auto slow = LoadOne("slow", [] { FAIL(); });
  loop_.After(milliseconds(5), [slow] { slow->Cancel(); });
  Load({"fast"}, ThenFinish());
  Run();
  EXPECT_EQ(Outcome("fast"), "value fast");
}

TEST_F(SqliteTest, RemovedOrDamagedFileIsAnErrorUntilItIsBack) {
  Fill("INSERT INTO t VALUES ('k', 'x')");
  Open();
  Load({"before"}, [this] {
    std::filesystem::rename(options_.path, folder_ + "/away.db");
    Load({"removed"}, [this] {
      std::ofstream(options_.path) << std::string(8192, 'x');
      Load({"damaged"}, [this] {
        std::filesystem::rename(folder_ + "/away.db", options_.path);
        Load({"k"}, ThenFinish());
      });
    });
  });
  Run();
  EXPECT_EQ(Outcome("before"), "not found");
  EXPECT_THAT(Outcome("removed"), HasSubstr("unable to open database file"));
  EXPECT_THAT(Outcome("damaged"), HasSubstr("file is not a database"));
  EXPECT_EQ(Outcome("k"), "value x");
}

TEST_F(SqliteTest, FullQueueIsOverload) {
  Fill("");
  options_.query = kSlowQuery;
  options_.queue_limit = 0;
  Open();
  Load({"k"}, ThenFinish());
  Run();
  EXPECT_EQ(Outcome("k"), "OVERLOAD users: 0 loads in flight");
}

TEST_F(SqliteTest, ShutdownAnswersWhatRunsWaitsAndComesLater) {
  Fill("");
  options_.query = kSlowQuery;
  Open();
  Load({"slow"}, [] {});
  loop_.After(milliseconds(5), [this] {
    Load({"waiting"}, [] {});
    origin_->Shutdown();
    origin_->Shutdown();
    Load({"later"}, ThenFinish());
  });
  Run();
  for (const char* key : {"slow", "waiting", "later"}) {
    EXPECT_EQ(Outcome(key), "ERR node is shutting down") << key;
  }
}

}  // namespace
}  // namespace cistern::loader
