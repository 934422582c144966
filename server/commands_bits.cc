// Values as rows of bits: BITCOUNT BITPOS GETBIT SETBIT.
#include "server/arguments.h"
#include "server/bits.h"
#include "server/command_table.h"
#include "server/error_texts.h"
#include "server/key_reads.h"
#include "server/value_edit.h"

namespace cistern::server {
namespace {

using cache::Found;
using cache::Result;
using cluster::CommandReply;

constexpr int64_t kByte = 8;
constexpr int64_t kMostBits = (int64_t{512} << 20) * kByte;

std::optional<int64_t> ParseBitOffset(std::string_view text) {
  const auto offset = ParseInteger(text);
  return offset && *offset >= 0 && *offset < kMostBits ? offset : std::nullopt;
}

// "[start [end [BYTE | BIT]]]"
struct RangeWords {
  int64_t first = 0;
  int64_t last = -1;
  bool has_end = false;
  bool counts_bits = false;

  // In bits; `within` is one of the two of bits.h.
  Range Of(std::string_view value, Range (*within)(int64_t, int64_t, int64_t)) const {
    const int64_t unit = counts_bits ? 1 : kByte;
    const Range range = within(first, last, static_cast<int64_t>(value.size()) * kByte / unit);
    if (range.empty()) return {};
    return {range.first * unit, range.last * unit + unit - 1};
  }
};

tl::expected<RangeWords, std::string_view> ParseRange(std::span<const std::string_view> args) {
  RangeWords words;
  if (!args.empty()) {
    const auto first = ParseInteger(args[0]);
    if (!first) return tl::unexpected(error_texts::kNotAnInteger);
    words.first = *first;
  }
  if (args.size() > 2) {
    words.counts_bits = EqualsIgnoringCase(args[2], "bit");
    if (!words.counts_bits && !EqualsIgnoringCase(args[2], "byte")) {
      return tl::unexpected(error_texts::kSyntax);
    }
  }
  if (args.size() > 1) {
    const auto last = ParseInteger(args[1]);
    if (!last) return tl::unexpected(error_texts::kNotAnInteger);
    words.last = *last;
    words.has_end = true;
  }
  return words;
}

void GetBit(Call& call) {
  const auto offset = ParseBitOffset(call.arg(2));
  if (!offset) return call.reply().Error(error_texts::kBadBitOffset);
  ReadOne(call, [bit = static_cast<uint64_t>(*offset)](Reply& reply, const Found& found) {
    reply.Integer(BitAt(found.value, bit) ? 1 : 0);
  });
}

void BitCount(Call& call) {
  if (call.args().size() == 3 || call.args().size() > 5) {
    return call.reply().Error(error_texts::kSyntax);
  }
  const auto words = ParseRange(call.args().subspan(2));
  if (!words) return call.reply().Error(words.error());
  ReadOne(call, [words = *words](Reply& reply, const Found& found) {
    reply.Integer(CountBits(found.value, words.Of(found.value, OrderedRangeWithin)));
  });
}

// Behind a value whose end nobody named stand zeros.
void BitPos(Call& call) {
  const auto bit = ParseInteger(call.arg(2));
  if (!bit) return call.reply().Error(error_texts::kNotAnInteger);
  if (*bit != 0 && *bit != 1) return call.reply().Error(error_texts::kBadBitArgument);
  if (call.args().size() > 6) return call.reply().Error(error_texts::kSyntax);
  const auto words = ParseRange(call.args().subspan(3));
  if (!words) return call.reply().Error(words.error());
  ReadOne(call, [words = *words, value = *bit == 1](Reply& reply, const Found& found) {
    if (found.kind != Found::Kind::kValue) return reply.Integer(value ? -1 : 0);
    const Range range = words.Of(found.value, RangeWithin);
    const int64_t at = FindBit(found.value, range, value);
    const bool has_zeros_behind = !value && !words.has_end && !range.empty();
    reply.Integer(at < 0 && has_zeros_behind ? range.last + 1 : at);
  });
}

Result<CommandReply> SetBitHere(OwnerCall& call) {
  const auto offset = ParseBitOffset(call.args[2]);
  if (!offset) return Refusal(std::string(error_texts::kBadBitOffset));
  const auto bit = ParseInteger(call.args[3]);
  if (!bit || (*bit != 0 && *bit != 1)) return Refusal(std::string(error_texts::kBadBit));
  const auto at = static_cast<size_t>(*offset / kByte);
  const auto mask = static_cast<uint8_t>(0x80U >> (*offset % kByte));
  return EditHere(call, [=](std::optional<std::string_view> present) {
    const std::string_view old = present.value_or("");
    const bool was_set = BitAt(old, static_cast<uint64_t>(*offset));
    const auto set = [=](char* to) {
      const auto byte = static_cast<uint8_t>(to[at]);
      to[at] = static_cast<char>(*bit == 1 ? byte | mask : byte & ~mask);
    };
    return Edit::Resize(old, std::max(old.size(), at + 1), set, {int64_t{was_set ? 1 : 0}});
  });
}

constexpr Command kRows[] = {
    {.name = "bitcount",
     .arity = -2,
     .flags = kFlagReadonly,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kRead,
     .handler = BitCount,
     .summary = "How many bits of a key's value are set, loaded like GET.",
     .since = "2.6.0",
     .group = "bitmap",
     .arguments = "key [start end [BYTE | BIT]]"},
    {.name = "bitpos",
     .arity = -3,
     .flags = kFlagReadonly,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kRead,
     .handler = BitPos,
     .summary =
         "Where the first bit of a key's value is that is set, or clear; -1: nowhere. Loaded "
         "like GET.",
     .since = "2.8.7",
     .group = "bitmap",
     .arguments = "key bit [start [end [BYTE | BIT]]]"},
    {.name = "getbit",
     .arity = 3,
     .flags = kFlagReadonly | kFlagFast,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kRead,
     .handler = GetBit,
     .summary = "One bit of a key's value, 0 beyond its end; loaded like GET.",
     .since = "2.2.0",
     .group = "bitmap",
     .arguments = "key offset"},
    {.name = "setbit",
     .arity = 4,
     .flags = kFlagWrite | kFlagDenyOom,
     .first_key = 1,
     .last_key = 1,
     .step = 1,
     .access = Access::kWrite,
     .handler = RunAtOwner,
     .at_owner = SetBitHere,
     .summary =
         "Sets or clears a bit of the value that the owner holds, with zeros before it where "
         "it was shorter; answers what it was. The value keeps its life.",
     .since = "2.2.0",
     .group = "bitmap",
     .arguments = "key offset value"},
};

}  // namespace

std::span<const Command> BitCommands() {
  return kRows;
}

}  // namespace cistern::server
