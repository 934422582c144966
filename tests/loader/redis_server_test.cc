// The redis backend against a real redis-server.
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "loader/redis.h"
#include "tests/loader/loader_fixture.h"

namespace cistern::loader {
namespace {

using ::testing::HasSubstr;

// A redis-server on a unix socket in a folder of its own.
class RealRedis {
 public:
  RealRedis() {
    char pattern[] = "/tmp/cistern-redis-XXXXXX";
    folder_ = mkdtemp(pattern);
    int log[2];
    EXPECT_EQ(pipe2(log, O_CLOEXEC), 0);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(log[1], STDOUT_FILENO);
      execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", path().c_str(),
             "--save", "", "--dir", folder_.c_str(), "--requirepass", "secret", nullptr);
      _exit(127);
    }
    close(log[1]);
    WaitUntilReady(log[0]);
    log_ = log[0];
    admin_ = redisConnectUnix(path().c_str());
    Do({"AUTH", "secret"});
  }
  ~RealRedis() {
    redisFree(admin_);
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    close(log_);
    std::filesystem::remove_all(folder_);
  }

  std::string path() const { return folder_ + "/s"; }

  std::string Do(const std::vector<std::string>& command) {
    std::vector<const char*> arguments;
    std::vector<size_t> sizes;
    for (const std::string& argument : command) {
      arguments.push_back(argument.data());
      sizes.push_back(argument.size());
    }
    void* raw =
        redisCommandArgv(admin_, static_cast<int>(command.size()), arguments.data(), sizes.data());
    EXPECT_NE(raw, nullptr);
    if (raw == nullptr) return "";
    const auto* reply = static_cast<redisReply*>(raw);
    const std::string text = reply->str == nullptr ? "" : std::string(reply->str, reply->len);
    freeReplyObject(raw);
    return text;
  }

 private:
  static void WaitUntilReady(int log) {
    std::string said;
    char bytes[1024];
    while (said.find("ready to accept connections") == said.npos) {
      const ssize_t count = read(log, bytes, sizeof bytes);
      ASSERT_GT(count, 0) << "redis-server did not start: " << said;
      said.append(bytes, static_cast<size_t>(count));
    }
  }

  std::string folder_;
  pid_t pid_ = -1;
  int log_ = -1;
  redisContext* admin_ = nullptr;
};

class RedisServerTest : public LoaderTest {
 protected:
  RedisServerTest() {
    options_.group = "users";
    options_.address = net::Address::Unix(redis_.path());
    options_.password = "secret";
    options_.database = 5;
    options_.timeout = std::chrono::seconds(30);
    clean_up_ = [this] { origin_->Shutdown(); };
  }
  void Open() {
    origin_ = std::make_unique<RedisOrigin>(options_, std::vector<net::Loop*>{&loop_});
  }

  RealRedis redis_;
  RedisOptions options_;
};

TEST_F(RedisServerTest, AnswersWithWhatIsStoredThere) {
  const std::string binary("\0\r\n\xff", 4);
  redis_.Do({"SELECT", "5"});
  redis_.Do({"SET", "found", "x"});
  redis_.Do({"SET", "empty", ""});
  redis_.Do({"SET", binary, binary});
  redis_.Do({"LPUSH", "list", "x"});
  Open();
  Load({"found", "empty", binary, "missing"}, [this] { Load({"list"}, ThenFinish()); });
  Run();
  EXPECT_EQ(Outcome("found"), "value x");
  EXPECT_EQ(Outcome("empty"), "value ");
  EXPECT_EQ(Outcome(binary), "value " + binary);
  EXPECT_EQ(Outcome("missing"), "not found");
  EXPECT_THAT(Outcome("list"), HasSubstr("BACKEND users: WRONGTYPE"));
}

TEST_F(RedisServerTest, ThousandKeysOfOneTurnAreEightCommands) {
  redis_.Do({"SELECT", "5"});
  std::vector<std::string> keys;
  for (int i = 0; i < 1000; ++i) {
    keys.push_back("k" + std::to_string(i));
    redis_.Do({"SET", keys.back(), "v" + std::to_string(i)});
  }
  Open();
  Load(keys, ThenFinish());
  Run();
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(Outcome(keys[static_cast<size_t>(i)]), "value v" + std::to_string(i));
  EXPECT_THAT(redis_.Do({"INFO", "commandstats"}), HasSubstr("cmdstat_mget:calls=8,"));
}

TEST_F(RedisServerTest, WrongPasswordIsReported) {
  options_.password = "guess";
  Open();
  Load({"k"}, ThenFinish());
  Run();
  EXPECT_THAT(Outcome("k"), HasSubstr("BACKEND users: authentication failed: WRONGPASS"));
}

}  // namespace
}  // namespace cistern::loader
