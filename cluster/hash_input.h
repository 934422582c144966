// HashInput: fields put together so that no two different lists of fields give the same bytes, on
// every machine alike.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cistern::cluster {

class HashInput {
 public:
  HashInput& Add(uint64_t number) {
    for (int byte = 0; byte < 8; ++byte)
      bytes_.push_back(static_cast<char>((number >> (8 * byte)) & 0xff));
    return *this;
  }
  HashInput& Add(std::string_view text) {
    Add(static_cast<uint64_t>(text.size()));
    bytes_.append(text);
    return *this;
  }
  // Valid until the next Add.
  std::string_view bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace cistern::cluster
