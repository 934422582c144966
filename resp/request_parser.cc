#include "resp/request_parser.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstring>

#include "resp/inline_command.h"

namespace cistern::resp {
namespace {

using Kind = ProtocolError::Kind;

// More than this is given back when a request is done with.
constexpr size_t kKeptArguments = 1024;
constexpr size_t kKeptUnquoted = 4096;

// Redis's string2ll: an optional '-', no '+', no space, no leading zero, no overflow.
bool ParseLength(std::string_view digits, int64_t& length) {
  if (digits == "0") {
    length = 0;
    return true;
  }
  const size_t first = digits.starts_with('-') ? 1 : 0;
  if (first == digits.size() || digits[first] < '1' || digits[first] > '9') return false;
  const char* end = digits.data() + digits.size();
  const auto [stop, code] = std::from_chars(digits.data(), end, length);
  return code == std::errc() && stop == end;
}

}  // namespace

RequestParser::Status RequestParser::Parse(std::string_view input) {
  consumed_ = 0;
  count_ = 0;
  GiveBackMemory();
  std::string_view args[PlainRequests::kMostArgs];
  RequestHead none;
  PlainRequests plain = Plain(input, none);
  count_ = plain.Next(args);
  if (count_ == 0) return ParseOn(input);
  if (args_.size() < count_) args_.resize(count_);
  std::copy_n(args, count_, args_.begin());
  consumed_ = plain.consumed();
  return Status::kRequest;
}

PlainRequests RequestParser::Plain(std::string_view input, RequestHead& head) const {
  int64_t bytes = limits_.max_bulk_bytes;
  int64_t args = limits_.max_elements;
  if (!limits_.authenticated) {
    bytes = std::min(bytes, limits_.unauthenticated_bulk_bytes);
    args = std::min(args, limits_.unauthenticated_elements);
  }
  if (state_ != State::kStart) input = {};
  return {input, head, static_cast<size_t>(std::max<int64_t>(args, 0)), static_cast<size_t>(bytes)};
}

RequestParser::Status RequestParser::ParseOn(std::string_view input) {
  while (true) {
    switch (Advance(input.substr(consumed_))) {
      case Step::kGoOn:
        break;
      case Step::kRequest:
        consumed_ += at_;
        StartAfresh();
        return Status::kRequest;
      case Step::kSkipped:
        consumed_ += at_;
        StartAfresh();
        break;
      case Step::kIncomplete:
        return Status::kIncomplete;
      case Step::kError:
        consumed_ = 0;
        return Status::kError;
    }
  }
}

RequestParser::Step RequestParser::Advance(std::string_view input) {
  switch (state_) {
    case State::kStart:
      if (input.empty()) return Want(1);
      state_ = input[0] == '*' ? State::kCount : State::kInline;
      return Step::kGoOn;
    case State::kCount:
      return ReadCount(input);
    case State::kBulkLength:
      return ReadBulkLength(input);
    case State::kBulk:
      return ReadBulk(input);
    case State::kInline:
      return ReadInline(input);
    case State::kFailed:
      break;
  }
  return Step::kError;
}

// "*<count>\r\n"
RequestParser::Step RequestParser::ReadCount(std::string_view input) {
  const Step found = FindLine(input, '\r', Kind::kMultibulkLineTooLong);
  if (found != Step::kGoOn) return found;
  if (line_end_ + 1 == input.size()) return Want(1);
  int64_t count = 0;
  if (input[line_end_ + 1] != '\n' || !ParseLength(input.substr(1, line_end_ - 1), count) ||
      count > limits_.max_elements) {
    return Fail(Kind::kMultibulkLength);
  }
  if (!limits_.authenticated && count > limits_.unauthenticated_elements) {
    return Fail(Kind::kUnauthenticatedMultibulkLength);
  }
  at_ = line_end_ + 2;
  line_end_ = at_;
  if (count <= 0) return Step::kSkipped;
  elements_left_ = count;
  state_ = State::kBulkLength;
  return Step::kGoOn;
}

// "$<length>\r\n"
RequestParser::Step RequestParser::ReadBulkLength(std::string_view input) {
  if (at_ == input.size()) return Want(1);
  if (input[at_] != '$') return Fail(Kind::kExpectedDollar, input[at_]);
  const Step found = FindLine(input, '\r', Kind::kBulkLineTooLong);
  if (found != Step::kGoOn) return found;
  if (line_end_ + 1 == input.size()) return Want(1);
  int64_t size = 0;
  if (input[line_end_ + 1] != '\n' ||
      !ParseLength(input.substr(at_ + 1, line_end_ - at_ - 1), size) || size < 0 ||
      size > limits_.max_bulk_bytes) {
    return Fail(Kind::kBulkLength);
  }
  if (!limits_.authenticated && size > limits_.unauthenticated_bulk_bytes) {
    return Fail(Kind::kUnauthenticatedBulkLength);
  }
  at_ = line_end_ + 2;
  bulk_size_ = static_cast<size_t>(size);
  state_ = State::kBulk;
  return Step::kGoOn;
}

// "<bytes>\r\n"
RequestParser::Step RequestParser::ReadBulk(std::string_view input) {
  const size_t there = input.size() - at_;
  if (there < bulk_size_ + 2) return Want(bulk_size_ + 2 - there);
  // Redis skips these two bytes whatever they are; to us the length was wrong.
  if (input[at_ + bulk_size_] != '\r' || input[at_ + bulk_size_ + 1] != '\n') {
    return Fail(Kind::kBulkLength);
  }
  extents_.push_back({at_, bulk_size_});
  at_ += bulk_size_ + 2;
  line_end_ = at_;
  if (--elements_left_ == 0) return Finish(input);
  state_ = State::kBulkLength;
  return Step::kGoOn;
}

// Anything else up to "\n" or "\r\n".
RequestParser::Step RequestParser::ReadInline(std::string_view input) {
  const Step found = FindLine(input, '\n', Kind::kInlineTooLong);
  if (found != Step::kGoOn) return found;
  std::string_view line = input.substr(0, line_end_);
  if (line.ends_with('\r')) line.remove_suffix(1);
  const int count = SplitInline(line, args_, unquoted_);
  if (count < 0) return Fail(Kind::kUnbalancedQuotes);
  at_ = line_end_ + 1;
  if (count == 0) return Step::kSkipped;
  count_ = static_cast<size_t>(count);
  return Step::kRequest;
}

// Moves line_end_ to the next `last`. The verdict on too long lines does not depend on how the
// input was split: a line without an end yet fails exactly when it is too long with any end.
RequestParser::Step RequestParser::FindLine(std::string_view input, char last, Kind too_long) {
  assert(line_end_ <= input.size());
  const void* found = line_end_ == input.size()
                          ? nullptr
                          : std::memchr(input.data() + line_end_, last, input.size() - line_end_);
  line_end_ = found == nullptr
                  ? input.size()
                  : static_cast<size_t>(static_cast<const char*>(found) - input.data());
  if (line_end_ - at_ > limits_.max_line_bytes) return Fail(too_long);
  return found == nullptr ? Want(1) : Step::kGoOn;
}

RequestParser::Step RequestParser::Finish(std::string_view input) {
  count_ = extents_.size();
  if (args_.size() < count_) args_.resize(count_);
  for (size_t i = 0; i < count_; ++i)
    args_[i] = std::string_view(input.data() + extents_[i].offset, extents_[i].size);
  return Step::kRequest;
}

RequestParser::Step RequestParser::Want(size_t bytes) {
  bytes_wanted_ = bytes;
  return Step::kIncomplete;
}

RequestParser::Step RequestParser::Fail(Kind kind, char got) {
  state_ = State::kFailed;
  error_ = {kind, got};
  return Step::kError;
}

void RequestParser::StartAfresh() {
  state_ = State::kStart;
  at_ = 0;
  line_end_ = 0;
  extents_.clear();
}

// Runs before the next request is looked at: until then the last one's arguments are in use. What
// a request under way has gathered stays.
void RequestParser::GiveBackMemory() {
  unquoted_.clear();
  if (args_.capacity() > kKeptArguments) std::vector<std::string_view>().swap(args_);
  if (unquoted_.capacity() > kKeptUnquoted) std::string().swap(unquoted_);
  if (extents_.capacity() > kKeptArguments && state_ == State::kStart) {
    std::vector<Extent>().swap(extents_);
  }
}

size_t RequestParser::allocated_bytes() const {
  const size_t strings = unquoted_.capacity() > 15 ? unquoted_.capacity() + 1 : 0;
  return args_.capacity() * sizeof(std::string_view) + extents_.capacity() * sizeof(Extent) +
         strings;
}

}  // namespace cistern::resp
