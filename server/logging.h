// The log: spdlog's default logger, as [log] says.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "server/config/config.h"

namespace cistern::server {

// Called once by main, before any thread is started. The error names the row and the reason.
tl::expected<void, std::string> StartLogging(const LogConfig& config);

// (thread-safe)
void SetLogLevel(LogLevel level);

}  // namespace cistern::server
