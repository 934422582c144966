#include "server/open_files.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <cerrno>
#include <system_error>

namespace cistern::server {

tl::expected<void, std::string> AllowOpenFiles(uint64_t wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return tl::unexpected("limit of open files: " + std::generic_category().message(errno));
  }
  if (limit.rlim_cur >= wanted) return {};
  const rlimit raised{wanted, limit.rlim_max < wanted ? wanted : limit.rlim_max};
  // Above the hard limit only a privileged process may go.
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return {};
  return tl::unexpected(fmt::format(
      "{} open files are needed, and no more than {} are allowed here", wanted, limit.rlim_max));
}

}  // namespace cistern::server
