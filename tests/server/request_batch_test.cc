#include "server/request_batch.h"

#include <gtest/gtest.h>

#include "tests/server/test_server.h"

namespace cistern::server {
namespace {

using Status = resp::RequestParser::Status;

class RequestBatchTest : public ::testing::Test {
 protected:
  Status Fill(std::string_view input, size_t most = RequestBatch::kMost) {
    input_ = input;  // the batch shows views into it
    batch_.Fill(parser_, input_, most, commands_);
    return batch_.status();
  }

  std::string input_;
  TestCommands commands_;
  resp::RequestParser parser_;
  RequestBatch batch_;
};

TEST_F(RequestBatchTest, TakesAllCompleteRequests) {
  const std::string input = Ask({"GET", "k"}) + Ask({"set", "k", "v"}) + Ask({"GET", "x"});
  EXPECT_EQ(Fill(std::string_view(input).substr(0, input.size() - 1)), Status::kIncomplete);
  ASSERT_EQ(batch_.requests().size(), 2U);
  EXPECT_EQ(batch_.args(batch_.requests()[1])[2], "v");
  EXPECT_EQ(batch_.requests()[1].command->name, "set");
  EXPECT_EQ(batch_.requests()[1].end, batch_.consumed());
}

TEST_F(RequestBatchTest, StopsAtItsMost) {
  const std::string input = Ask({"PING"}) + Ask({"PING"}) + Ask({"PING"});
  EXPECT_EQ(Fill(input, 2), Status::kRequest);
  EXPECT_EQ(batch_.requests().size(), 2U);
  EXPECT_EQ(batch_.consumed(), input.size() / 3 * 2);
}

TEST_F(RequestBatchTest, HashesTheKeysOfWhatFits) {
  Fill(Ask({"GET", "k"}) + Ask({"PING"}) + Ask({"GET"}) + Ask({"allabsent", "a", "b"}));
  const auto keys = [&](size_t i) { return batch_.keys(batch_.requests()[i]); };
  ASSERT_EQ(keys(0).size(), 1U);
  EXPECT_EQ(keys(0)[0].bytes, "k");
  EXPECT_EQ(keys(0)[0].hash, cache::HashKey("k"));
  EXPECT_TRUE(keys(1).empty());
  EXPECT_TRUE(keys(2).empty());
  ASSERT_EQ(keys(3).size(), 2U);
  EXPECT_EQ(keys(3)[1].bytes, "b");
}

TEST_F(RequestBatchTest, ARepeatedNameIsFoundAgainInWhateverCase) {
  Fill(Ask({"GET", "a"}) + Ask({"GET", "b"}) + Ask({"get", "c"}) + Ask({"GET"}) + Ask({"PING"}) +
       Ask({"GET", "d"}));
  const std::vector<std::string_view> names = {"get", "get", "get", "get", "ping", "get"};
  ASSERT_EQ(batch_.requests().size(), names.size());
  for (size_t i = 0; i < names.size(); ++i)
    EXPECT_EQ(batch_.requests()[i].command->name, names[i]) << i;
  EXPECT_FALSE(batch_.requests()[3].fits);
  EXPECT_EQ(batch_.args(batch_.requests()[5])[1], "d");
}

TEST_F(RequestBatchTest, PlainAndOtherRequestsMayAlternate) {
  const std::string many = Ask({"allabsent", "0", "1", "2", "3", "4", "5", "6", "7", "8"});
  Fill(Ask({"GET", "a"}) + "PING\r\n" + Ask({"GET", "b"}) + many + Ask({"GET", "c"}));
  ASSERT_EQ(batch_.requests().size(), 5U);
  EXPECT_EQ(batch_.keys(batch_.requests()[2])[0].bytes, "b");
  ASSERT_EQ(batch_.keys(batch_.requests()[3]).size(), 9U);
  EXPECT_EQ(batch_.keys(batch_.requests()[3])[8].bytes, "8");
  EXPECT_EQ(batch_.keys(batch_.requests()[4])[0].bytes, "c");
}

TEST_F(RequestBatchTest, UnknownAndUnfitRequestsAreMarked) {
  Fill(Ask({"nope"}) + Ask({"GET"}) + Ask({"GET", "k"}));
  EXPECT_EQ(batch_.requests()[0].command, nullptr);
  EXPECT_FALSE(batch_.requests()[0].fits);
  EXPECT_NE(batch_.requests()[1].command, nullptr);
  EXPECT_FALSE(batch_.requests()[1].fits);
  EXPECT_TRUE(batch_.requests()[2].fits);
}

TEST_F(RequestBatchTest, EndsAtARequestThatTheParserHolds) {
  const std::string input = "PING\r\nECHO \"a b\"\r\nPING\r\n";
  EXPECT_EQ(Fill(input), Status::kRequest);
  ASSERT_EQ(batch_.requests().size(), 2U);
  EXPECT_EQ(batch_.args(batch_.requests()[1])[1], "a b");
}

TEST_F(RequestBatchTest, RequestsBeforeAnErrorAreTaken) {
  EXPECT_EQ(Fill("PING\r\n*1\r\n!\r\n"), Status::kError);
  EXPECT_EQ(batch_.requests().size(), 1U);
}

}  // namespace
}  // namespace cistern::server
