// Sessions of requests, changed as requests: commands come from the command table, with arguments
// that fit their forms, or nearly.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace cistern::server {

using Words = std::vector<std::string>;

// Requests at the front of `bytes`, and whether there is nothing else.
struct Session {
  std::vector<Words> requests;
  bool is_whole = false;
};
Session ReadSession(std::string_view bytes);
std::string WriteSession(const std::vector<Words>& requests);

// libFuzzer's own way to change bytes.
using ChangeBytes = std::string (*)(std::string bytes, size_t longest);

class CommandMutator {
 public:
  CommandMutator(uint32_t seed, ChangeBytes change_bytes) : random_(seed), change_(change_bytes) {}
  void Change(std::vector<Words>& requests);

 private:
  size_t Below(size_t end) { return random_() % end; }
  bool OneIn(size_t n) { return Below(n) == 0; }
  Words AnyRequest();
  std::string AnyArgument(const std::vector<std::string>& form);
  void ChangeOne(Words& request);

  std::minstd_rand random_;
  const ChangeBytes change_;
};

}  // namespace cistern::server
