#include "server/serve.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstring>
#include <iostream>

#include "net/stream.h"
#include "server/config/load.h"
#include "server/logging.h"
#include "server/memory_trimmer.h"
#include "server/node.h"
#include "server/version.h"

namespace cistern::server {
namespace {

// Signals wait until the main thread asks for them; threads made from here on inherit that.
sigset_t HoldSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

void Reload(const std::string& file, Node& node) {
  spdlog::info("SIGHUP: reading {} again", file);
  if (const LoadedConfig config = LoadConfig(file)) {
    node.Reload(*config);
  } else {
    for (const ConfigError& error : config.error())
      spdlog::error("{}", error.ToString());
    spdlog::error("the configuration stays as it was");
  }
  node.ReloadCertificates();
}

void WaitForEnd(const sigset_t& signals, const std::string& file, Node& node) {
  while (true) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (signal != SIGHUP) {
      spdlog::info("{}: finishing what is under way", strsignal(signal));
      return;
    }
    Reload(file, node);
  }
}

// Who presses Ctrl-C twice does not want to wait. SIGTERM may come from several supervisors.
void EndAtSecondInterrupt() {
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  pthread_sigmask(SIG_UNBLOCK, &interrupt, nullptr);
}

bool IsBeyondThisMachine(const std::string& listen) {
  const auto address = net::ListenAddress::Parse(listen);
  return address && !address->is_loopback();
}

bool AsksForCertificates(const Config& config) {
  return config.server.tls.client_auth == net::ClientAuth::kYes;
}

// What is permitted, and perhaps not meant.
void WarnOfOddities(const Config& config) {
  if (config.groups.empty()) {
    spdlog::warn("group: there is none, so every key is answered with NOGROUP");
  }
  for (const std::string& listen : config.server.listen) {
    if (!config.server.password.empty() || !IsBeyondThisMachine(listen)) continue;
    if (net::ListenAddress::Parse(listen)->tls && AsksForCertificates(config)) continue;
    spdlog::warn("server.password is empty: whoever reaches {} may read and delete", listen);
  }
  const bool joinable = config.cluster.nodes.size() > 1 && config.cluster.secret.empty() &&
                        !config.cluster.tls.is_on();
  if (joinable && IsBeyondThisMachine(config.cluster.listen)) {
    spdlog::warn("cluster.secret is empty: whoever reaches {} may join", config.cluster.listen);
  }
}

void SayWhatServes(const Config& config, const Node& node) {
  std::string addresses;
  for (const net::ListenAddress& address : node.listening())
    addresses += (addresses.empty() ? "" : ", ") + address.ToString();
  spdlog::info("cistern {}: node {} serves clients at {}", kVersion, config.node.name, addresses);
  if (node.admin_port() != 0) spdlog::info("admin port: {}", node.admin_port());
}

}  // namespace

int Serve(const std::string& file) {
  // First of all: a SIGHUP that comes while it starts is a request to read `file` again, no end.
  const sigset_t signals = HoldSignals();
  LoadedConfig config = LoadConfig(file);
  if (!config) {
    std::cerr << FormatErrors(config.error());
    return 1;
  }
  if (const auto logging = StartLogging(config->log); !logging) {
    std::cerr << logging.error() << "\n";
    return 1;
  }
  net::IgnoreSigpipe();
  PrepareAllocator();
  WarnOfOddities(*config);
  auto node = Node::Start(std::move(*config));
  if (!node) {
    spdlog::error("{}", node.error());
    return 1;
  }
  SayWhatServes((*node)->config(), **node);
  WaitForEnd(signals, file, **node);
  EndAtSecondInterrupt();
  (*node)->Stop();
  spdlog::info("stopped");
  return 0;
}

}  // namespace cistern::server
