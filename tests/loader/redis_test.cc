// What a redis backend answers, and what it is asked. (Trouble: redis_failure_test.cc)
#include "loader/redis.h"

#include "tests/loader/redis_fixture.h"

namespace cistern::loader {
namespace {

using ::testing::ElementsAre;

FakeRedis::Answer Three(const FakeRedis::Command& command) {
  const auto value = [](const std::string& key) -> std::string {
    if (key == "found") return Bulk("x");
    if (key == "empty") return Bulk("");
    return "$-1\r\n";
  };
  if (command[0] == "GET") return {value(command[1])};
  std::vector<std::string> values;
  for (size_t i = 1; i < command.size(); ++i)
    values.push_back(value(command[i]));
  return {Array(values)};
}

TEST_F(RedisTest, FoundEmptyAndNotFoundAreThreeThingsInABatch) {
  fake_.script = Three;
  Open();
  Load({"found", "empty", "missing"}, ThenFinish());
  Run();
  EXPECT_EQ(Outcome("found"), "value x");
  EXPECT_EQ(Outcome("empty"), "value ");
  EXPECT_EQ(Outcome("missing"), "not found");
}

TEST_F(RedisTest, FoundEmptyAndNotFoundAreThreeThingsAlone) {
  fake_.script = Three;
  Open();
  Load({"found"}, [this] { Load({"empty"}, [this] { Load({"missing"}, ThenFinish()); }); });
  Run();
  EXPECT_EQ(Outcome("found"), "value x");
  EXPECT_EQ(Outcome("empty"), "value ");
  EXPECT_EQ(Outcome("missing"), "not found");
}

TEST_F(RedisTest, KeysOfOneTurnTravelInOneMget) {
  Open();
  Load({"a", "b", "c"}, [this] { Load({"d"}, ThenFinish()); });
  Run();
  EXPECT_THAT(fake_.commands(), ElementsAre("MGET a b c", "GET d"));
  EXPECT_EQ(Outcome("b"), "value of b");
  EXPECT_EQ(fake_.connections(), 1);
}

TEST_F(RedisTest, BatchIsBounded) {
  options_.batch = 2;
  Open();
  Load({"a", "b", "c", "d", "e"}, ThenFinish());
  Run();
  EXPECT_THAT(fake_.commands(), ElementsAre("MGET a b", "MGET c d", "GET e"));
  EXPECT_EQ(Outcome("e"), "value of e");
}

TEST_F(RedisTest, BatchesAreSpreadOverTheConnections) {
  options_.batch = 1;
  options_.connections = 2;
  OpenAndWarmUp([this] {
    // The second connection may still be under way: it is ready when this is answered.
    Load({"x"}, [this] { Load({"a", "b", "c"}, ThenFinish()); });
  });
  Run();
  EXPECT_EQ(fake_.connections(), 2);
  EXPECT_EQ(Outcome("a"), "value of a");
  EXPECT_EQ(Outcome("c"), "value of c");
}

TEST_F(RedisTest, KeysAndValuesHoldAnyByte) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte)
    all += static_cast<char>(byte);
  fake_.script = [](const FakeRedis::Command& command) {
    return FakeRedis::Answer{Bulk(command[1] + command[1])};
  };
  Open();
  Load({all}, ThenFinish());
  Run();
  EXPECT_EQ(Outcome(all), "value " + all + all);
}

TEST_F(RedisTest, LargeValueArrivesWhole) {
  const std::string large(8'000'000, 'v');
  fake_.script = [&](const FakeRedis::Command&) { return FakeRedis::Answer{Bulk(large)}; };
  Open();
  Load({"k"}, ThenFinish());
  Run();
  EXPECT_TRUE(Outcome("k") == "value " + large);
}

TEST_F(RedisTest, PasswordUserAndDatabaseAreSentFirst) {
  options_.user = "app";
  options_.password = "secret";
  options_.database = 3;
  Open();
  Load({"k"}, ThenFinish());
  Run();
  EXPECT_THAT(fake_.commands(), ElementsAre("AUTH app secret", "SELECT 3", "GET k"));
  EXPECT_EQ(Outcome("k"), "value of k");
}

TEST_F(RedisTest, PasswordAloneAndDatabaseAloneWorkToo) {
  options_.password = "secret";
  Open();
  Load({"k"}, [this] {
    origin_->Shutdown();
    options_.password.clear();
    options_.database = 1;
    Open();
    Load({"l"}, ThenFinish());
  });
  Run();
  EXPECT_THAT(fake_.commands(), ElementsAre("AUTH secret", "GET k", "SELECT 1", "GET l"));
}

TEST_F(RedisTest, LoadThatNobodyWaitsForIsNotSent) {
  Open();
  LoadOne("dropped", [] { FAIL(); })->Cancel();
  Load({"kept"}, ThenFinish());
  Run();
  EXPECT_THAT(fake_.commands(), ElementsAre("GET kept"));
}

TEST_F(RedisTest, LoadEntersACommandThatWasNotSentYet) {
  OpenAndWarmUp([this] {
    bool asked_again = false;
    fake_.script = [this, asked_again](const FakeRedis::Command&) mutable {
      // The first command has been sent, its reply has not: the same key again is a new command.
      if (!std::exchange(asked_again, true)) Load({"k"}, ThenFinish());
      return FakeRedis::Answer{Bulk("x")};
    };
    Load({"k"}, [] {});
  });
  Run();
  EXPECT_THAT(fake_.commands(), ElementsAre("GET warm", "GET k", "GET k"));
}

}  // namespace
}  // namespace cistern::loader
