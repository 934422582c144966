#include "server/value_edit.h"

#include <algorithm>
#include <utility>

#include "server/error_texts.h"

namespace cistern::server {

using cache::Change;
using cache::Entry;
using cluster::CommandReply;

namespace {

// Redis's, whatever a group permits.
constexpr size_t kLongestString = size_t{512} << 20;

}  // namespace

Edit Edit::To(std::string value, CommandReply reply) {
  const size_t size = value.size();
  const auto write = [value = std::move(value)](char* to) {
    std::copy(value.begin(), value.end(), to);
  };
  return {std::move(reply), write, size};
}

Edit Edit::Resize(std::string_view old, size_t size, std::function<void(char*)> change,
                  CommandReply reply) {
  const auto write = [old, size, change = std::move(change)](char* to) {
    const size_t kept = std::min(old.size(), size);
    std::copy_n(old.begin(), kept, to);
    std::fill(to + kept, to + size, '\0');
    change(to);
  };
  return {std::move(reply), write, size};
}

cache::Result<CommandReply> EditHere(OwnerCall& call, const DecideEdit& decide) {
  const cache::Group* group = call.cache.GroupOf(call.args[1]);
  const size_t largest = group == nullptr ? 0 : group->config().max_value;
  CommandReply reply;
  const auto changed = call.Update(cache::Touches::kValue, [&](const Entry* present) {
    Edit edit = decide(present == nullptr ? std::nullopt : std::optional(present->value()));
    reply = std::move(edit.reply);
    if (!edit.write) return Change::None();
    if (edit.size > kLongestString) {
      reply = Refusal(std::string(error_texts::kStringTooLong));
      return Change::None();
    }
    if (edit.size > largest) return Change::TooLarge();
    const cache::Instant end = present != nullptr ? present->expires() : call.EndOfNewValue();
    return Change::Store(cache::BlobPtr::Make(edit.size, edit.write), end);
  });
  if (!changed) return tl::unexpected(changed.error());
  return reply;
}

}  // namespace cistern::server
