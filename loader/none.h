// The backend `none`: a group that nothing fills but SET.
#pragma once

#include "loader/job.h"

namespace cistern::loader {

class NoneOrigin final : public cache::Origin {
 public:
  // Not found, at once. (thread-safe)
  void Load(cache::Executor& /*executor*/, std::string_view /*key*/, LoadDone done) override {
    done->Done(NotFound());
  }
};

}  // namespace cistern::loader
