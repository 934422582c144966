// Feeding: what a connection does with a parser, in as many pieces as a test wants.
#pragma once

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "resp/request_parser.h"

namespace cistern::resp {

using Request = std::vector<std::string>;

struct Outcome {
  std::vector<Request> requests;
  std::string error;  // empty: none
  size_t left = 0;    // bytes of a request not yet whole
  bool operator==(const Outcome&) const = default;
};

// Feeds `bytes` piece by piece, and takes the quick way first as a server does; `next_piece(left)`
// says how many bytes come next, 1 to `left`. Each call to the parser sees its input in a fresh
// block of exactly its size: a read beyond it is for the sanitizers, a pointer kept from an earlier
// call finds freed memory.
inline Outcome Feed(std::string_view bytes, const Limits& limits,
                    const std::function<size_t(size_t)>& next_piece) {
  RequestParser parser(limits);
  RequestHead head;
  Outcome outcome;
  size_t begin = 0;
  for (size_t end = 0; end < bytes.size();) {
    end += next_piece(bytes.size() - end);
    auto status = RequestParser::Status::kRequest;
    while (status == RequestParser::Status::kRequest) {
      const size_t size = end - begin;
      const std::unique_ptr<char[]> block(new char[size]);
      if (size > 0) std::memcpy(block.get(), bytes.data() + begin, size);
      const std::string_view input(block.get(), size);
      PlainRequests plain = parser.Plain(input, head);
      std::string_view args[PlainRequests::kMostArgs];
      while (const size_t count = plain.Next(args))
        outcome.requests.emplace_back(args, args + count);
      status = parser.Parse(input.substr(plain.consumed()));
      begin += plain.consumed() + parser.consumed();
      if (status == RequestParser::Status::kError) {
        outcome.error = parser.error().Text();
        return outcome;
      }
      if (status == RequestParser::Status::kRequest) {
        outcome.requests.emplace_back(parser.args().begin(), parser.args().end());
      }
    }
  }
  outcome.left = bytes.size() - begin;
  return outcome;
}

inline Outcome FeedWhole(std::string_view bytes, const Limits& limits = {}) {
  return Feed(bytes, limits, [](size_t left) { return left; });
}

inline Outcome FeedByteByByte(std::string_view bytes, const Limits& limits = {}) {
  return Feed(bytes, limits, [](size_t) { return size_t{1}; });
}

// In two pieces, the first of `split` bytes (1 to the size).
inline Outcome FeedSplitAt(std::string_view bytes, size_t split, const Limits& limits = {}) {
  bool first = true;
  return Feed(bytes, limits, [&](size_t left) {
    const size_t piece = first ? split : left;
    first = false;
    return piece;
  });
}

}  // namespace cistern::resp
