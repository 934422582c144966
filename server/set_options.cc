#include "server/set_options.h"

#include <algorithm>

#include "server/arguments.h"
#include "server/error_texts.h"

namespace cistern::server {
namespace {

// What says how long the value lives. Each excludes all others, but may be said twice.
struct LifeOption {
  std::string_view word;
  std::optional<LifeWords> with_count;  // a count follows
};

constexpr LifeOption kKeepTtl{.word = "keepttl", .with_count = std::nullopt};
constexpr LifeOption kPersist{.word = "persist", .with_count = std::nullopt};
constexpr LifeOption kEnds[] = {
    {"ex", LifeWords{{}, LifeUnit::kSeconds, false}},
    {"px", LifeWords{{}, LifeUnit::kMilliseconds, false}},
    {"exat", LifeWords{{}, LifeUnit::kSeconds, true}},
    {"pxat", LifeWords{{}, LifeUnit::kMilliseconds, true}},
};

// Reads the option that says how long the value lives.
class LifeReader {
 public:
  // `other`: the one that has no count.
  explicit LifeReader(const LifeOption& other) : other_(other) {}

  // Takes args[*at], and the count behind it. False if it is none, or one that does not fit those
  // before.
  bool Read(std::span<const std::string_view> args, size_t* at) {
    const LifeOption* option = Find(args[*at]);
    if (option == nullptr || (said_ != nullptr && said_ != option)) return false;
    if (option->with_count) {
      if (*at + 1 == args.size()) return false;
      life_ = option->with_count;
      life_->count = args[++*at];
    }
    said_ = option;
    return true;
  }

  bool other() const { return said_ == &other_; }
  const std::optional<LifeWords>& life() const { return life_; }

 private:
  const LifeOption* Find(std::string_view word) const {
    if (EqualsIgnoringCase(word, other_.word)) return &other_;
    const auto* at = std::find_if(std::begin(kEnds), std::end(kEnds), [&](const auto& option) {
      return EqualsIgnoringCase(word, option.word);
    });
    return at == std::end(kEnds) ? nullptr : at;
  }

  const LifeOption& other_;
  const LifeOption* said_ = nullptr;
  std::optional<LifeWords> life_;
};

// NX and XX exclude each other; each may be said twice.
bool Restrict(SetOptions& options, SetCondition condition) {
  if (options.condition != SetCondition::kAlways && options.condition != condition) return false;
  options.condition = condition;
  return true;
}

}  // namespace

tl::expected<SetOptions, std::string> ParseSetOptions(std::span<const std::string_view> args) {
  SetOptions options;
  LifeReader life(kKeepTtl);
  for (size_t i = 0; i < args.size(); ++i) {
    bool good = true;
    if (EqualsIgnoringCase(args[i], "nx")) {
      good = Restrict(options, SetCondition::kIfAbsent);
    } else if (EqualsIgnoringCase(args[i], "xx")) {
      good = Restrict(options, SetCondition::kIfPresent);
    } else if (EqualsIgnoringCase(args[i], "get")) {
      options.get = true;
    } else {
      good = life.Read(args, &i);
    }
    if (!good) return tl::unexpected(std::string(error_texts::kSyntax));
  }
  options.keep_life = life.other();
  options.life = life.life();
  return options;
}

tl::expected<GetExOptions, std::string> ParseGetExOptions(std::span<const std::string_view> args) {
  LifeReader life(kPersist);
  for (size_t i = 0; i < args.size(); ++i) {
    if (!life.Read(args, &i)) return tl::unexpected(std::string(error_texts::kSyntax));
  }
  return GetExOptions{.persist = life.other(), .life = life.life()};
}

}  // namespace cistern::server
