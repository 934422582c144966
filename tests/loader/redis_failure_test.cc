// A redis backend that refuses, breaks, hangs, or talks nonsense.
#include "loader/redis.h"
#include "tests/loader/redis_fixture.h"

namespace cistern::loader {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

TEST_F(RedisTest, RefusedConnectIsTheLoadsError) {
  fake_.Close();
  Open();
  Load({"a", "b"}, ThenFinish());
  Run();
  EXPECT_EQ(Outcome("a"), "BACKEND users: connection refused");
  EXPECT_EQ(Outcome("b"), "BACKEND users: connection refused");
}

TEST_F(RedisTest, AfterARefusalLoadsFailAtOnceUntilTheNextTry) {
  clock().Stop();
  fake_.Close();
  Open();
  Load({"first"}, [this] {
    fake_.Listen();
    Load({"too soon"}, [this] {
      EXPECT_EQ(fake_.connections(), 0);
      clock().Advance(seconds(1));
      Load({"later"}, ThenFinish());
    });
  });
  Run();
  EXPECT_EQ(Outcome("too soon"), "BACKEND users: " + fake_.address().ToString() +
                                     " has been down for 0 ms: connection refused");
  EXPECT_EQ(Outcome("later"), "value of later");
}

TEST_F(RedisTest, WhileOneLoadFindsOutWhetherItIsUpOthersFailAtOnce) {
  clock().Stop();
  options_.password = "secret";
  fake_.script = [this](const FakeRedis::Command&) {
    Load({"meanwhile"}, ThenFinish());
    return FakeRedis::Answer{};  // to AUTH
  };
  fake_.Close();
  Open();
  Load({"first"}, [this] {
    fake_.Listen();
    clock().Advance(seconds(3));
    Load({"probe"}, [] {});
  });
  Run();
  EXPECT_EQ(Outcome("meanwhile"), "BACKEND users: " + fake_.address().ToString() +
                                      " has been down for 3000 ms: connection refused");
  EXPECT_EQ(fake_.connections(), 1);
}

TEST_F(RedisTest, OneThatAcceptsAndAnswersNothingIsTriedOnceAWait) {
  clock().Stop();
  fake_.script = [](const FakeRedis::Command&) { return FakeRedis::Answer{"", true}; };
  Open();
  Load({"first"}, [this] { Load({"a"}, [this] { Load({"b"}, ThenFinish()); }); });
  Run();
  EXPECT_EQ(Outcome("first"), "BACKEND users: closed by peer");
  for (const char* key : {"a", "b"})
    EXPECT_THAT(Outcome(key), ::testing::EndsWith("has been down for 0 ms: closed by peer"));
  EXPECT_EQ(fake_.connections(), 1);
}

TEST_F(RedisTest, ASlowServerIsNeverTakenForDown) {
  fake_.script = [](const FakeRedis::Command&) { return FakeRedis::Answer{}; };
  options_.timeout = milliseconds(20);
  Open();
  Load({"a"}, [this] { Load({"b"}, [this] { Load({"c"}, ThenFinish()); }); });
  Run();
  for (const char* key : {"a", "b", "c"})
    EXPECT_EQ(Outcome(key), "BACKEND users: timeout after 20 ms");
}

TEST_F(RedisTest, ConnectionClosedInMidReplyFailsItsLoadsAndIsMadeAgainAtOnce) {
  clock().Stop();
  OpenAndWarmUp([this] {
    const auto normal = fake_.script;
    fake_.script = [](const FakeRedis::Command&) {
      return FakeRedis::Answer{"*2\r\n$5\r\nhel", true};
    };
    Load({"a", "b"}, [this, normal] {
      fake_.script = normal;
      Load({"c"}, ThenFinish());
    });
  });
  Run();
  EXPECT_EQ(Outcome("a"), "BACKEND users: closed by peer");
  EXPECT_EQ(Outcome("b"), "BACKEND users: closed by peer");
  EXPECT_EQ(Outcome("c"), "value of c");
  EXPECT_EQ(fake_.connections(), 2);
}

TEST_F(RedisTest, IdleConnectionThatWasClosedCostsNoLoad) {
  OpenAndWarmUp([this] {
    fake_.Close();
    fake_.Listen();
    loop_.After(milliseconds(5), [this] { Load({"k"}, ThenFinish()); });
  });
  Run();
  EXPECT_EQ(Outcome("k"), "value of k");
}

TEST_F(RedisTest, HungServerIsATimeout) {
  fake_.script = [](const FakeRedis::Command&) { return FakeRedis::Answer{}; };
  options_.timeout = milliseconds(20);
  Open();
  Load({"a", "b"}, ThenFinish());
  Run();
  EXPECT_EQ(Outcome("a"), "BACKEND users: timeout after 20 ms");
  EXPECT_EQ(Outcome("b"), "BACKEND users: timeout after 20 ms");
}

TEST_F(RedisTest, ConnectionThatWentSilentIsReplaced) {
  options_.timeout = milliseconds(250);
  OpenAndWarmUp([this] {
    const auto normal = fake_.script;
    fake_.script = [](const FakeRedis::Command&) { return FakeRedis::Answer{}; };
    Load({"silent"}, [this, normal] {
      fake_.script = normal;
      loop_.After(milliseconds(5), [this] { Load({"k"}, ThenFinish()); });
    });
  });
  Run();
  EXPECT_EQ(Outcome("silent"), "BACKEND users: timeout after 250 ms");
  EXPECT_EQ(Outcome("k"), "value of k");
  EXPECT_EQ(fake_.connections(), 2);
}

TEST_F(RedisTest, WrongPasswordIsTheLoadsErrorAndNothingIsAsked) {
  options_.password = "wrong";
  fake_.script = [](const FakeRedis::Command&) {
    return FakeRedis::Answer{"-WRONGPASS invalid username-password pair\r\n"};
  };
  Open();
  Load({"k"}, ThenFinish());
  Run();
  EXPECT_EQ(Outcome("k"),
            "BACKEND users: authentication failed: WRONGPASS invalid username-password pair");
  EXPECT_THAT(fake_.commands(), ElementsAre("AUTH wrong"));
}

TEST_F(RedisTest, WrongDatabaseIsTheLoadsError) {
  options_.database = 99;
  fake_.script = [](const FakeRedis::Command&) {
    return FakeRedis::Answer{"-ERR DB index is out of range\r\n"};
  };
  Open();
  Load({"k"}, ThenFinish());
  Run();
  EXPECT_EQ(Outcome("k"),
            "BACKEND users: cannot select the database: ERR DB index is out of range");
}

TEST_F(RedisTest, ServerThatNeverAnswersAuthIsAFailedConnect) {
  options_.password = "secret";
  options_.connect_timeout = milliseconds(20);
  fake_.script = [](const FakeRedis::Command&) { return FakeRedis::Answer{}; };
  Open();
  Load({"k"}, ThenFinish());
  Run();
  EXPECT_EQ(Outcome("k"), "BACKEND users: no answer to the first commands in time");
}

TEST_F(RedisTest, ErrorReplyIsAnErrorOfEveryKeyItAnswers) {
  fake_.script = [](const FakeRedis::Command&) {
    return FakeRedis::Answer{"-LOADING Redis is loading the dataset in memory\r\n"};
  };
  Open();
  Load({"a", "b"}, [this] { Load({"c"}, ThenFinish()); });
  Run();
  for (const char* key : {"a", "b", "c"}) {
    EXPECT_EQ(Outcome(key), "BACKEND users: LOADING Redis is loading the dataset in memory");
  }
}

TEST_F(RedisTest, ErrorInsideABatchIsItsOwnKeysOnly) {
  fake_.script = [](const FakeRedis::Command&) {
    return FakeRedis::Answer{Array({Bulk("x"), "-ERR this one\r\n"})};
  };
  Open();
  Load({"a", "b"}, ThenFinish());
  Run();
  EXPECT_EQ(Outcome("a"), "value x");
  EXPECT_EQ(Outcome("b"), "BACKEND users: ERR this one");
}

TEST_F(RedisTest, NonsenseIsAProtocolError) {
  fake_.script = [](const FakeRedis::Command&) { return FakeRedis::Answer{"HTTP/1.1 200 OK\r\n"}; };
  Open();
  Load({"k"}, ThenFinish());
  Run();
  EXPECT_THAT(Outcome("k"), ::testing::StartsWith("BACKEND users: protocol error: "));
}

TEST_F(RedisTest, ReplyOfTheWrongShapeIsAnError) {
  fake_.script = [](const FakeRedis::Command& command) {
    return FakeRedis::Answer{command[0] == "GET" ? ":1\r\n" : Array({Bulk("one too few")})};
  };
  Open();
  Load({"a", "b"}, [this] { Load({"c"}, ThenFinish()); });
  Run();
  EXPECT_EQ(Outcome("a"), "BACKEND users: unexpected reply to MGET");
  EXPECT_EQ(Outcome("c"), "BACKEND users: unexpected type of reply");
}

TEST_F(RedisTest, MoreRepliesThanQuestionsEndTheConnection) {
  fake_.script = [](const FakeRedis::Command&) {
    return FakeRedis::Answer{Bulk("x") + "-ERR max number of clients reached\r\n"};
  };
  Open();
  Load({"a"}, [this] {
    fake_.script = [](const FakeRedis::Command&) { return FakeRedis::Answer{Bulk("y")}; };
    loop_.After(milliseconds(5), [this] { Load({"b"}, ThenFinish()); });
  });
  Run();
  EXPECT_EQ(Outcome("a"), "value x");
  EXPECT_EQ(Outcome("b"), "value y");
  EXPECT_EQ(fake_.connections(), 2);
}

TEST_F(RedisTest, ShutdownAnswersWhatWasSentAndWhatComesLater) {
  fake_.script = [this](const FakeRedis::Command&) {
    origin_->Shutdown();
    loop_.Post([this] { Load({"later"}, ThenFinish()); });
    return FakeRedis::Answer{};
  };
  Open();
  Load({"sent"}, [] {});
  Run();
  EXPECT_EQ(Outcome("sent"), "ERR node is shutting down");
  EXPECT_EQ(Outcome("later"), "ERR node is shutting down");
}

TEST_F(RedisTest, ShutdownWhileConnectingAnswersWhatWaits) {
  Open();
  Load({"waiting"}, ThenFinish());
  loop_.AtTurnEnd([this] { origin_->Shutdown(); });
  Run();
  EXPECT_EQ(Outcome("waiting"), "ERR node is shutting down");
}

}  // namespace
}  // namespace cistern::loader
