// PlainRequests: requests of the shape that nearly all have, read in one go.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace cistern::resp {

// How a request with a short name began, "*2\r\n$3\r\nGET\r\n": most others begin alike, and are
// known by two comparisons of words, which may overlap.
class RequestHead {
 public:
  bool Begins(const char* at, const char* end) const {
    return size_ != 0 && end - at >= kMostBytes && Load(at) == first_ &&
           Load(at + size_ - sizeof last_) == last_;
  }
  // It ends where the second argument begins. Longer ones are not remembered.
  void Note(const char* at, const char* end, size_t args);

  size_t size() const { return size_; }
  size_t args() const { return args_; }

 private:
  static constexpr ptrdiff_t kMostBytes = 16;

  static uint64_t Load(const char* at) {
    uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    return word;
  }

  uint64_t first_ = 0;
  uint64_t last_ = 0;
  uint32_t size_ = 0;  // 0: there is none
  uint32_t args_ = 0;
};

// A reader at the front of some bytes. Plain is a whole array of one to eight bulk strings of less
// than a million bytes each; for everything else there is RequestParser. Several times as fast as
// step by step, and faster still for a name that is repeated, as pipelines do.
class PlainRequests {
 public:
  static constexpr size_t kMostArgs = 8;

  // Requests of more than `most_args` arguments, or with one of more than `most_bytes`, are not
  // plain. `head` is of the last request, whoever sent it; outlives the reader.
  PlainRequests(std::string_view input, RequestHead& head, size_t most_args, size_t most_bytes)
      : begin_(input.data()),
        at_(begin_),
        end_(begin_ + input.size()),
        head_(head),
        most_args_(std::min(most_args, kMostArgs)),
        most_bytes_(most_bytes) {}

  // Views of the next request's arguments in the input go to `args`, which has room for kMostArgs.
  // Returns how many; 0: no plain request stands there, and nothing more is consumed.
  size_t Next(std::string_view* args);

  // After Next(): it has the very name of `head`'s last one, and as many arguments.
  bool repeats() const { return repeats_; }
  // Bytes of the input that all requests so far have taken.
  size_t consumed() const { return static_cast<size_t>(at_ - begin_); }

 private:
  const char* TakeCount(const char* at, size_t& count) const;
  const char* TakeBulk(const char* at, std::string_view& bulk) const;
  const char* TakeLength(const char* at, size_t& size) const;

  const char* const begin_;
  const char* at_;
  const char* const end_;
  RequestHead& head_;
  const size_t most_args_;
  const size_t most_bytes_;
  bool repeats_ = false;
};

}  // namespace cistern::resp
