#include "loader/redis_reply.h"

#include <memory>

namespace cistern::loader {
namespace {

constexpr size_t kShownBytes = 256;

}  // namespace

std::string Printable(std::string_view text) {
  std::string shown(text.substr(0, kShownBytes));
  for (char& c : shown) {
    if (c < ' ' || c > '~') c = '.';
  }
  if (text.size() > kShownBytes) shown += "...";
  return shown;
}

std::string ErrorText(const redisReply& reply) {
  return Printable({reply.str, static_cast<size_t>(reply.len)});
}

const redisReplyObjectFunctions& HiredisFunctions() {
  static const redisReplyObjectFunctions functions = [] {
    const std::unique_ptr<redisReader, void (*)(redisReader*)> reader(redisReaderCreate(),
                                                                      redisReaderFree);
    return *reader->fn;
  }();
  return functions;
}

}  // namespace cistern::loader
