#include "server/logging.h"

#include <gmock/gmock.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace cistern::server {
namespace {

// The default logger is the process's: it is put back.
class LoggingTest : public testing::Test {
 protected:
  LoggingTest() { std::remove(path_.c_str()); }
  ~LoggingTest() override {
    spdlog::set_default_logger(before_);
    std::remove(path_.c_str());
  }

  std::vector<std::string> Lines() const {
    std::ifstream file(path_);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);)
      lines.push_back(line);
    return lines;
  }

  const std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
  // Tests run beside each other, each in a process of its own.
  const std::string path_ =
      testing::TempDir() + "cistern_logging_test_" + std::to_string(getpid()) + ".log";
};

TEST_F(LoggingTest, JsonLinesHoldAnyBytes) {
  ASSERT_TRUE(StartLogging({LogLevel::kInfo, LogFormat::kJson, path_}));
  spdlog::warn("{}", "a \"quoted\" \\ line\nand \xff");
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 1U);
  const auto line = nlohmann::json::parse(lines[0], nullptr, false);
  ASSERT_TRUE(line.is_object()) << lines[0];
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["message"], "a \"quoted\" \\ line\nand \xef\xbf\xbd");
  EXPECT_THAT(line["time"].get<std::string>(), testing::StartsWith("20"));
}

TEST_F(LoggingTest, LinesBelowTheLevelAreNotWritten) {
  ASSERT_TRUE(StartLogging({LogLevel::kWarn, LogFormat::kText, path_}));
  spdlog::info("not this");
  spdlog::warn("this");
  ASSERT_EQ(Lines().size(), 1U);
  EXPECT_THAT(Lines()[0], testing::EndsWith(" this"));
}

TEST_F(LoggingTest, LinesAreAppended) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(StartLogging({LogLevel::kInfo, LogFormat::kText, path_}));
    spdlog::info("once more");
  }
  EXPECT_EQ(Lines().size(), 2U);
}

TEST_F(LoggingTest, AFileThatCannotBeOpenedIsAnErrorOfItsRow) {
  const auto started = StartLogging({LogLevel::kInfo, LogFormat::kText, testing::TempDir()});
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error(), testing::StartsWith("log.file: "));
}

}  // namespace
}  // namespace cistern::server
