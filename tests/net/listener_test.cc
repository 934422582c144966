#include "net/listener.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/net/stream_fixture.h"

namespace cistern::net {
namespace {

using ::testing::HasSubstr;

class ListenerTest : public StreamTest {
 protected:
  ListenerTest() {
    char pattern[] = "/tmp/cistern-net-XXXXXX";
    folder_ = mkdtemp(pattern);
  }
  ~ListenerTest() override { std::filesystem::remove_all(folder_); }

  Address Path() const { return Address::Unix(folder_ + "/s"); }
  Result<std::unique_ptr<Listener>> Open(const Address& address) {
    return Listener::Open(loop_, address, [](int fd) { close(fd); });
  }

  std::string folder_;
};

TEST_F(ListenerTest, PortZeroIsChosenByTheKernel) {
  Listen();
  EXPECT_NE(listener_->bound_port(), 0);
  EXPECT_EQ(listener_->address().host, "127.0.0.1");
  on_accept_ = [this] { Finish(); };
  Connect();
  Run();
}

TEST_F(ListenerTest, TakenPortIsAnErrorThatNamesIt) {
  Listen();
  const auto second = Open(listener_->address());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error(),
            "127.0.0.1:" + std::to_string(listener_->bound_port()) + ": address already in use");
  Finish();
  Run();
}

TEST_F(ListenerTest, PortIsFreeAgainAfterClose) {
  Listen();
  const Address address = listener_->address();
  listener_->Close();
  listener_->Close();
  EXPECT_TRUE(Open(address).has_value());
  Finish();
  Run();
}

TEST_F(ListenerTest, UnknownHostIsAnError) {
  const auto listener = Open(Address::Tcp("no such host", 0));
  ASSERT_FALSE(listener.has_value());
  EXPECT_THAT(listener.error(), HasSubstr("no such host:0: "));
  Finish();
  Run();
}

TEST_F(ListenerTest, UnixSocketHasItsPermissionsAndGoesWithTheListener) {
  auto listener =
      Listener::Open(loop_, Path(), [](int fd) { close(fd); }, {.backlog = 5, .unix_mode = 0640});
  ASSERT_TRUE(listener.has_value()) << listener.error();
  struct stat info {};
  ASSERT_EQ(stat(Path().path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0640U);
  listener->reset();
  EXPECT_FALSE(std::filesystem::exists(Path().path));
  Finish();
  Run();
}

TEST_F(ListenerTest, StaleUnixPathIsReplaced) {
  const int dead = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  Path().path.copy(name.sun_path, sizeof name.sun_path - 1);
  ASSERT_EQ(bind(dead, reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
  close(dead);
  ASSERT_TRUE(std::filesystem::exists(Path().path));
  Listen(Path());
  on_accept_ = [this] { Finish(); };
  Connect();
  Run();
}

TEST_F(ListenerTest, UnixPathThatSomebodyAnswersAtIsRefusedAndLeft) {
  Listen(Path());
  on_accept_ = nullptr;
  const auto second = Open(Path());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error(), Path().ToString() + ": address already in use");
  EXPECT_TRUE(std::filesystem::exists(Path().path));
  Finish();
  Run();
}

TEST_F(ListenerTest, FileThatIsNoSocketIsNotRemoved) {
  std::ofstream(Path().path) << "precious";
  const auto listener = Open(Path());
  ASSERT_FALSE(listener.has_value());
  EXPECT_THAT(listener.error(), HasSubstr("exists and is not a socket"));
  EXPECT_TRUE(std::filesystem::exists(Path().path));
  Finish();
  Run();
}

TEST_F(ListenerTest, MayBeClosedByItsOwnCallback) {
  auto listener = Listener::Open(loop_, Address::Tcp("127.0.0.1", 0), [this](int fd) {
    close(fd);
    listener_.reset();
    loop_.After(std::chrono::milliseconds(1), [this] { Finish(); });
  });
  ASSERT_TRUE(listener.has_value()) << listener.error();
  listener_ = std::move(*listener);
  Connect();
  Run();
  EXPECT_EQ(listener_, nullptr);
}

TEST_F(ListenerTest, RunningOutOfDescriptorsDelaysAcceptsButDoesNotEndThem) {
  Listen();
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const auto restore = [&before] { setrlimit(RLIMIT_NOFILE, &before); };
  client_.on_open = [&] {
    // The kernel has connected the client; from now on accepting it needs one descriptor too many.
    const int lowest = dup(0);
    close(lowest);
    const rlimit tight{static_cast<rlim_t>(lowest), before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
    loop_.After(std::chrono::milliseconds(20), restore);
  };
  bool accepted = false;
  on_accept_ = [&] {
    accepted = true;
    Finish();
  };
  Connect();
  Run();
  restore();
  EXPECT_TRUE(accepted);
}

}  // namespace
}  // namespace cistern::net
