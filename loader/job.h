// Job: one load that a backend still owes an answer.
#pragma once

#include <string>

#include "cache/origin.h"

namespace cistern::loader {

using LoadResult = cache::Result<cache::Loaded>;
using LoadDone = cache::CompletionPtr<LoadResult>;

struct Job {
  std::string key;
  LoadDone done;
};

inline LoadResult NotFound() {
  return cache::Loaded{};
}

inline LoadResult Found(std::string_view value) {
  return cache::Loaded{cache::MakeBlob(value), std::nullopt, ""};
}

inline LoadResult Failed(cache::Error error) {
  return tl::unexpected(std::move(error));
}

}  // namespace cistern::loader
