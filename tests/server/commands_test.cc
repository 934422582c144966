// Commands as clients see them: bytes in, bytes out, of a whole node.
#include <gmock/gmock.h>

#include <thread>

#include "server/command_table.h"
#include "server/error_texts.h"
#include "tests/server/node_fixture.h"

namespace cistern::server {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class CommandsTest : public testing::Test {
 protected:
  std::string Ask(const std::string& line) { return server_.Ask(line); }
  std::string Session(const std::vector<std::string>& lines) { return server_.Session(lines); }

  NodeFixture server_;
};

TEST_F(CommandsTest, ValuesAreSetReadAndForgotten) {
  EXPECT_EQ(Session({"SET c:a 1", "GET c:a", "STRLEN c:a", "TYPE c:a", "DEL c:a", "GET c:a"}),
            "+OK\r\n$1\r\n1\r\n:1\r\n+string\r\n:1\r\n$-1\r\n");
}

TEST_F(CommandsTest, AbsenceIsNullOrZeroOrNone) {
  EXPECT_EQ(
      Session({"GET c:no", "STRLEN c:no", "TYPE c:no", "EXISTS c:no", "TTL c:no", "DEL c:no"}),
      "$-1\r\n:0\r\n+none\r\n:0\r\n:-2\r\n:0\r\n");
  EXPECT_EQ(Session({"HELLO 3", "GET c:no"}).substr(Ask("HELLO 3").size()), "_\r\n");
}

TEST_F(CommandsTest, TheEmptyValueIsAValue) {
  EXPECT_EQ(Session({"SET c:e \"\"", "GET c:e", "EXISTS c:e", "TYPE c:e", "MGET c:e c:no"}),
            "+OK\r\n$0\r\n\r\n:1\r\n+string\r\n*2\r\n$0\r\n\r\n$-1\r\n");
}

TEST_F(CommandsTest, MGetKeepsTheOrderOfHitsAndMisses) {
  EXPECT_EQ(Session({"SET c:1 one", "SET c:3 three", "MGET c:3 c:2 c:1 c:3"}),
            "+OK\r\n+OK\r\n*4\r\n$5\r\nthree\r\n$-1\r\n$3\r\none\r\n$5\r\nthree\r\n");
}

TEST_F(CommandsTest, MGetIsOneErrorIfOneKeyFailed) {
  EXPECT_THAT(Session({"SET c:1 one", "MGET c:1 b:x"}), StartsWith("+OK\r\n-BACKEND broken: "));
  EXPECT_EQ(Ask("MGET c:1 nobodys"), "-NOGROUP no group serves key 'nobodys'\r\n");
}

TEST_F(CommandsTest, ExistsCountsEveryMention) {
  EXPECT_EQ(Session({"SET c:1 one", "EXISTS c:1 c:2 c:1"}), "+OK\r\n:2\r\n");
}

TEST_F(CommandsTest, LargeValuesComeBackWhole) {
  const std::string value(3'000'000, 'v');
  const std::string size = std::to_string(value.size());
  const std::string set = "*3\r\n$3\r\nSET\r\n$3\r\nc:l\r\n$" + size + "\r\n" + value + "\r\n";
  const std::string bulk = "$" + size + "\r\n" + value + "\r\n";
  EXPECT_EQ(server_.Exchange(set + "GET c:l\r\nMGET c:l c:no c:l\r\nSTRLEN c:l\r\n"),
            "+OK\r\n" + bulk + "*3\r\n" + bulk + "$-1\r\n" + bulk + ":" + size + "\r\n");
}

TEST_F(CommandsTest, KeysMayHave64KiBAndNoMore) {
  const std::string longest = "c:" + std::string(65534, 'k');
  const auto ask = [&](const std::string& name, const std::string& key) {
    return server_.Exchange("*2\r\n$" + std::to_string(name.size()) + "\r\n" + name + "\r\n$" +
                            std::to_string(key.size()) + "\r\n" + key + "\r\n");
  };
  for (const char* name : {"GET", "MGET", "EXISTS", "DEL", "TTL", "TYPE", "STRLEN", "UNLINK",
                           "EXPIRETIME", "PERSIST", "GETDEL", "GETEX"}) {
    EXPECT_EQ(ask(name, longest + "k"), "-ERR key is longer than 65536 bytes\r\n") << name;
    EXPECT_EQ(ask(name, longest).substr(0, 1), Ask(std::string(name) + " c:no").substr(0, 1));
  }
}

TEST_F(CommandsTest, LivesAreSetAndShown) {
  EXPECT_EQ(Session({"SET c:t 1 EX 100", "TTL c:t", "SET c:t 1", "TTL c:t", "PTTL c:t"}),
            "+OK\r\n:100\r\n+OK\r\n:-1\r\n:-1\r\n");
}

TEST_F(CommandsTest, SetRefusesWhatItDoesNotKnow) {
  EXPECT_EQ(Ask("SET c:a 1 EX"), "-ERR syntax error\r\n");
  EXPECT_EQ(Ask("SET c:a 1 EX 0"), "-ERR invalid expire time in 'set' command\r\n");
  EXPECT_EQ(Ask("SET b:a 1"), "-NOWRITE group 'broken' takes no writes\r\n");
  EXPECT_EQ(Ask("SET nobodys 1"), "-NOGROUP no group serves key 'nobodys'\r\n");
}

TEST_F(CommandsTest, ReplyTypesOfWritesAreRediss) {
  EXPECT_EQ(Session({"SETNX c:a 1", "SETNX c:a 2", "GETSET c:a 3", "SET c:a 4 GET", "SET c:a 5 NX",
                     "SETEX c:a 100 6", "PSETEX c:a 100000 7", "MSET c:a 8 c:b 9", "GETEX c:a"}),
            ":1\r\n:0\r\n$1\r\n1\r\n$1\r\n3\r\n$-1\r\n+OK\r\n+OK\r\n+OK\r\n$1\r\n8\r\n");
  EXPECT_EQ(Session({"EXPIRE c:a 100", "PERSIST c:a", "EXPIRETIME c:a", "GETDEL c:a", "GETDEL c:a",
                     "EXPIRE c:a 100"}),
            ":1\r\n:1\r\n:-1\r\n$1\r\n8\r\n$-1\r\n:0\r\n");
}

TEST_F(CommandsTest, WritesOfOnePipelineThatShareAKeyKeepTheirOrder) {
  EXPECT_EQ(Session({"MSET c:a 1 c:b 2", "GET c:b", "GETDEL c:b", "MGET c:a c:b", "SETNX c:b 3",
                     "PEXPIREAT c:b 1", "EXISTS c:b"}),
            "+OK\r\n$1\r\n2\r\n$1\r\n2\r\n*2\r\n$1\r\n1\r\n$-1\r\n:1\r\n:1\r\n:0\r\n");
}

TEST_F(CommandsTest, MSetStoresNothingWhereAGroupRefusesOneOfItsKeys) {
  EXPECT_EQ(Session({"MSET c:a 1 b:x 2", "MSET c:a 1 nobodys 2", "MSET c:a 1 c:b",
                     "MSET c:a 1 __a 2", "EXISTS c:a"}),
            "-NOWRITE group 'broken' takes no writes\r\n"
            "-NOGROUP no group serves key 'nobodys'\r\n"
            "-ERR wrong number of arguments for 'mset' command\r\n"
            "-" +
                std::string(error_texts::kLocalOnlyWrite) + "\r\n:0\r\n");
}

TEST_F(CommandsTest, EveryWriteOfAValueIsRefusedWhereTheGroupTakesNone) {
  for (const char* line : {"SET b:x 1", "SETNX b:x 1", "SETEX b:x 1 1", "PSETEX b:x 1 1",
                           "GETSET b:x 1", "MSET b:x 1", "SET b:x 1 XX", "SET b:x 1 GET"}) {
    EXPECT_EQ(Ask(line), "-NOWRITE group 'broken' takes no writes\r\n") << line;
  }
}

TEST_F(CommandsTest, GetExAndGetDelReadAsGetDoes) {
  EXPECT_THAT(Ask("GETEX b:x"), StartsWith("-BACKEND broken: "));
  EXPECT_THAT(Ask("GETDEL b:x"), StartsWith("-BACKEND broken: "));
  EXPECT_EQ(Ask("GETEX b:x EX"), "-ERR syntax error\r\n");
  EXPECT_EQ(Ask("GETEX nobodys"), "-NOGROUP no group serves key 'nobodys'\r\n");
}

TEST_F(CommandsTest, ProbesOfClientsAreAnsweredHere) {
  EXPECT_EQ(Session({"GET __Booksleeve_TieBreak", "MGET __a c:no", "EXISTS __a", "TTL __a",
                     "DEL __a", "TYPE __a", "STRLEN __a"}),
            "$-1\r\n*2\r\n$-1\r\n$-1\r\n:0\r\n:-2\r\n:0\r\n+none\r\n:0\r\n");
  EXPECT_THAT(Ask("SET __a 1"), StartsWith("-NOWRITE "));
}

TEST_F(CommandsTest, ABackendThatFailsIsNamed) {
  for (const char* line : {"GET b:x", "EXISTS b:x", "STRLEN b:x", "TYPE b:x"})
    EXPECT_THAT(Ask(line), StartsWith("-BACKEND broken: ")) << line;
}

TEST_F(CommandsTest, PingAndEchoAnswerAsRedisDoes) {
  EXPECT_EQ(Session({"PING", "PING hi", "ECHO hi", "PING a b", "ECHO"}),
            "+PONG\r\n$2\r\nhi\r\n$2\r\nhi\r\n-ERR wrong number of arguments for 'ping' command\r\n"
            "-ERR wrong number of arguments for 'echo' command\r\n");
}

TEST_F(CommandsTest, HelloChoosesTheProtocolAndSaysWhoIsThere) {
  const std::string reply = Ask("HELLO 3");
  EXPECT_THAT(reply, StartsWith("%9\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.4.0"
                                "\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:"));
  EXPECT_THAT(reply, HasSubstr("$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"
                               "$7\r\nmodules\r\n*0\r\n"));
  EXPECT_THAT(Ask("HELLO"), StartsWith("*18\r\n$6\r\nserver\r\n"));
  EXPECT_THAT(Ask("HELLO 2 SETNAME predis"), HasSubstr("$5\r\nproto\r\n:2\r\n"));
}

TEST_F(CommandsTest, HelloRefusesInRedissWords) {
  EXPECT_EQ(Ask("HELLO 4"), "-NOPROTO unsupported protocol version\r\n");
  EXPECT_EQ(Ask("HELLO x"), "-ERR Protocol version is not an integer or out of range\r\n");
  EXPECT_EQ(Ask("HELLO 3 FOO"), "-ERR Syntax error in HELLO option 'FOO'\r\n");
  EXPECT_EQ(Ask("HELLO 3 SETNAME"), "-ERR Syntax error in HELLO option 'SETNAME'\r\n");
  EXPECT_EQ(Ask("HELLO 3 AUTH root x"),
            "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
}

TEST_F(CommandsTest, ARefusedHelloChangesNothing) {
  EXPECT_EQ(Session({"HELLO 3 SETNAME new FOO", "CLIENT GETNAME", "GET c:no"}),
            "-ERR Syntax error in HELLO option 'FOO'\r\n$-1\r\n$-1\r\n");
}

TEST_F(CommandsTest, ClientsHaveNumbersAndNames) {
  EXPECT_THAT(Ask("CLIENT ID"), StartsWith(":"));
  EXPECT_NE(Ask("CLIENT ID"), Ask("CLIENT ID"));
  EXPECT_EQ(Session({"CLIENT GETNAME", "CLIENT SETNAME me", "CLIENT GETNAME", "CLIENT SETNAME \"\"",
                     "CLIENT GETNAME"}),
            "$-1\r\n+OK\r\n$2\r\nme\r\n+OK\r\n$-1\r\n");
  EXPECT_EQ(Ask("CLIENT SETNAME \"a b\""),
            "-ERR Client names cannot contain spaces, newlines or special characters.\r\n");
}

TEST_F(CommandsTest, ClientsMayNameTheirLibrary) {
  EXPECT_EQ(Session({"CLIENT SETINFO LIB-NAME redis-py", "CLIENT SETINFO lib-ver 1.0"}),
            "+OK\r\n+OK\r\n");
  EXPECT_EQ(Ask("CLIENT SETINFO lib-foo x"), "-ERR Unrecognized option 'lib-foo'\r\n");
  EXPECT_EQ(Ask("CLIENT SETINFO lib-name \"a b\""),
            "-ERR lib-name cannot contain spaces, newlines or special characters.\r\n");
}

TEST_F(CommandsTest, UnknownSubcommandsAreOrdinaryErrors) {
  EXPECT_EQ(Session({"CLIENT TRACKING on", "PING"}),
            "-ERR unknown subcommand 'TRACKING'. Try CLIENT HELP.\r\n+PONG\r\n");
  EXPECT_EQ(Ask("CONFIG REWRITE"), "-ERR unknown subcommand 'REWRITE'. Try CONFIG HELP.\r\n");
  EXPECT_EQ(Ask("CLIENT ID x"), "-ERR wrong number of arguments for 'client|id' command\r\n");
  EXPECT_EQ(Ask("CLIENT"), "-ERR wrong number of arguments for 'client' command\r\n");
  EXPECT_THAT(Ask("CONFIG HELP"), HasSubstr("+GET pattern [pattern ...]\r\n"));
}

TEST_F(CommandsTest, ThereIsOneDatabase) {
  EXPECT_EQ(Session({"SELECT 0", "SELECT 1", "SELECT x"}),
            "+OK\r\n-ERR DB index is out of range\r\n-ERR value is not an integer or out of "
            "range\r\n");
}

TEST_F(CommandsTest, ResetForgetsNameAndProtocol) {
  const std::string hello = Ask("HELLO 3");
  EXPECT_EQ(
      Session({"HELLO 3", "CLIENT SETNAME me", "RESET", "CLIENT GETNAME"}).substr(hello.size()),
      "+OK\r\n+RESET\r\n$-1\r\n");
}

TEST_F(CommandsTest, CommandEntriesHaveTenElements) {
  EXPECT_EQ(Ask("COMMAND INFO get nope"),
            "*2\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n"
            "*3\r\n+@read\r\n+@string\r\n+@fast\r\n*0\r\n"
            "*1\r\n*6\r\n$5\r\nflags\r\n*2\r\n+RO\r\n+access\r\n"
            "$12\r\nbegin_search\r\n*4\r\n$4\r\ntype\r\n$5\r\nindex\r\n$4\r\nspec\r\n"
            "*2\r\n$5\r\nindex\r\n:1\r\n"
            "$9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n$5\r\nrange\r\n$4\r\nspec\r\n"
            "*6\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0\r\n"
            "*0\r\n*-1\r\n");
}

TEST_F(CommandsTest, CommandCountsListsAndDocuments) {
  const std::string count = std::to_string(AllCommands::Get().commands().size());
  EXPECT_EQ(Ask("COMMAND COUNT"), ":" + count + "\r\n");
  EXPECT_THAT(Ask("COMMAND"), StartsWith("*" + count + "\r\n*10\r\n"));
  EXPECT_EQ(Ask("COMMAND LIST FILTERBY PATTERN H*"), "*1\r\n$5\r\nhello\r\n");
  EXPECT_EQ(Ask("COMMAND LIST FILTERBY MODULE x"), "*0\r\n");
  EXPECT_THAT(Ask("COMMAND LIST FILTERBY ACLCAT write"), HasSubstr("\r\n$3\r\ndel\r\n"));
  EXPECT_EQ(Ask("COMMAND LIST FILTERBY x y"), "-ERR syntax error\r\n");
  EXPECT_THAT(Ask("COMMAND DOCS get nope"), StartsWith("*2\r\n$3\r\nget\r\n*10\r\n$7\r\nsummary"));
  EXPECT_THAT(Ask("COMMAND DOCS client"), HasSubstr("$11\r\nsubcommands\r\n*24\r\n"));
}

TEST_F(CommandsTest, ConfigIsShownOnceWhateverThePatterns) {
  EXPECT_EQ(Ask("CONFIG GET maxclients max*clients"), "*2\r\n$10\r\nmaxclients\r\n$3\r\n100\r\n");
  EXPECT_EQ(Ask("CONFIG GET nonsense"), "*0\r\n");
}

TEST_F(CommandsTest, TimeIsSecondsAndMicroseconds) {
  EXPECT_THAT(Ask("TIME"),
              testing::ContainsRegex("^\\*2\r\n\\$10\r\n[0-9]+\r\n\\$[1-6]\r\n[0-9]+"));
}

TEST_F(CommandsTest, CountsOfKeysAreAsClientsAsked) {
  EXPECT_EQ(Session({"SET c:1 x", "SET c:2 x", "DBSIZE", "DEL c:1", "DBSIZE"}),
            "+OK\r\n+OK\r\n:2\r\n:1\r\n:1\r\n");
  Session({"GET c:2", "GET c:2", "GET c:no", "GET b:x"});
  const std::string info = Ask("INFO groups");
  EXPECT_THAT(info, HasSubstr("cached:gets=3,hits_main=2,hits_hot=0,hits_stale=0,hits_negative=0,"
                              "loads=1,"));
  EXPECT_THAT(info, HasSubstr("broken:gets=1,"));
  EXPECT_THAT(info, HasSubstr("local_loads=1,degraded_loads=0,local_load_errors=1,"));
}

TEST_F(CommandsTest, ResetStatBeginsAtZeroAndKeepsWhatIsStored) {
  Session({"SET c:2 x", "GET c:2"});
  EXPECT_EQ(Session({"CONFIG RESETSTAT", "GET c:2", "DBSIZE"}), "+OK\r\n$1\r\nx\r\n:1\r\n");
  EXPECT_THAT(Ask("INFO groups"), HasSubstr("cached:gets=1,hits_main=1,"));
}

TEST_F(CommandsTest, InfoIsVerbatimTextInResp3) {
  const std::string hello = Ask("HELLO 3");
  EXPECT_THAT(Session({"HELLO 3", "INFO server"}).substr(hello.size()),
              testing::ContainsRegex("^=[0-9]+\r\ntxt:# Server\r\n"));
}

class PasswordCommandsTest : public testing::Test {
 protected:
  static Config WithPassword() {
    Config config = NodeConfigForTests();
    config.server.password = "open-sesame";
    return config;
  }
  NodeFixture server_{WithPassword()};
};

TEST_F(PasswordCommandsTest, NothingIsAnsweredBeforeThePassword) {
  EXPECT_EQ(server_.Session({"GET c:a", "HELLO 3", "AUTH wrong", "AUTH root open-sesame",
                             "AUTH open-sesame", "GET c:a"}),
            "-NOAUTH Authentication required.\r\n-" + std::string(error_texts::kNoAuthHello) +
                "\r\n-" + std::string(error_texts::kWrongPass) + "\r\n-" +
                std::string(error_texts::kWrongPass) + "\r\n+OK\r\n$-1\r\n");
}

TEST_F(PasswordCommandsTest, HelloMayBringIt) {
  EXPECT_THAT(server_.Session({"HELLO 3 AUTH default open-sesame SETNAME me", "CLIENT GETNAME"}),
              testing::EndsWith("$2\r\nme\r\n"));
  EXPECT_EQ(server_.Ask("HELLO 3 AUTH default wrong"),
            "-" + std::string(error_texts::kWrongPass) + "\r\n");
}

TEST_F(PasswordCommandsTest, ResetAsksForItAgain) {
  EXPECT_EQ(server_.Session({"AUTH default open-sesame", "RESET", "GET c:a"}),
            "+OK\r\n+RESET\r\n-NOAUTH Authentication required.\r\n");
}

TEST_F(PasswordCommandsTest, ItIsNeverShown) {
  EXPECT_THAT(server_.Session({"AUTH open-sesame", "CONFIG GET *"}),
              testing::Not(HasSubstr("open-sesame")));
}

// A backend that takes connections and never says a word.
class SilentBackendTest : public testing::Test {
 protected:
  SilentBackendTest() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 100), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    config_.groups[1].backend.address = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    config_.groups[1].backend.timeout = std::chrono::minutes(1);
    config_.server.drain_timeout = std::chrono::milliseconds(20);
  }
  ~SilentBackendTest() override { close(listener_); }

  const int listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  Config config_ = NodeConfigForTests();
};

TEST_F(SilentBackendTest, ARequestEndsByItsTime) {
  config_.server.request_timeout = std::chrono::milliseconds(30);
  NodeFixture server(config_);
  const std::string late = "-TIMEOUT no answer within 30 ms\r\n";
  EXPECT_EQ(server.Session({"GET b:x", "MGET c:1 b:x b:y", "EXISTS b:x b:x", "GET c:1"}),
            late + late + late + "$-1\r\n");
}

TEST_F(SilentBackendTest, WhoGoesAwayLeavesNothingBehind) {
  NodeFixture server(config_);
  server.SendAndLeave("GET b:x\r\nMGET b:x b:y c:1\r\nDEL b:z\r\n");
  EXPECT_EQ(server.Ask("PING"), "+PONG\r\n");
  server.node().Stop();
}

TEST_F(SilentBackendTest, StoppingWaitsNoLongerThanItMay) {
  NodeFixture server(config_);
  const auto begin = std::chrono::steady_clock::now();
  std::thread client([&server] { server.SendAndReadToEnd("GET b:x\r\nMGET b:x b:y\r\n"); });
  while (server.node().stats().Read().commands < 2)
    std::this_thread::yield();
  server.node().Stop();
  client.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

}  // namespace
}  // namespace cistern::server
