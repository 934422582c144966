// The limit of open files.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

namespace cistern::server {

// Raises this process's limit to at least `wanted`; never lowers it. The error says how far it may
// be raised. Called before clients are served.
tl::expected<void, std::string> AllowOpenFiles(uint64_t wanted);

}  // namespace cistern::server
