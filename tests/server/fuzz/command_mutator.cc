#include "tests/server/fuzz/command_mutator.h"

#include <algorithm>
#include <cctype>

#include "resp/request_parser.h"
#include "server/command_table.h"

namespace cistern::server {
namespace {

constexpr std::string_view kArguments[] = {"c:a",
                                           "c:b",
                                           "c:{t}a",
                                           "c:",
                                           "b:x",
                                           "nobodys",
                                           "__a",
                                           "",
                                           "0",
                                           "1",
                                           "-1",
                                           "2",
                                           "100",
                                           "3",
                                           "9223372036854775807",
                                           "-9223372036854775808",
                                           "18446744073709551616",
                                           "1e3",
                                           "+1",
                                           " 1",
                                           "01",
                                           "*",
                                           "?",
                                           "[a-",
                                           "[^]",
                                           "\\",
                                           "a*a*a*a*b",
                                           "max*",
                                           "get",
                                           "client",
                                           "client|id",
                                           "default",
                                           "secret",
                                           "redis-py",
                                           "two words",
                                           "\r\n",
                                           std::string_view("\0\xff\x80", 3)};
constexpr size_t kMostRequests = 64;

// The words in capitals of "key value [NX | XX] [EX seconds]".
std::vector<std::string> WordsOf(std::string_view form) {
  std::vector<std::string> words(1);
  for (const char c : form) {
    const bool is_part = std::isupper(static_cast<unsigned char>(c)) != 0 || c == '-';
    if (is_part) words.back().push_back(c);
    if (!is_part && !words.back().empty()) words.emplace_back();
  }
  words.pop_back();
  return words;
}

}  // namespace

Session ReadSession(std::string_view bytes) {
  Session session;
  resp::RequestParser parser;
  for (;;) {
    const auto status = parser.Parse(bytes);
    bytes.remove_prefix(parser.consumed());
    if (status != resp::RequestParser::Status::kRequest) break;
    session.requests.emplace_back(parser.args().begin(), parser.args().end());
  }
  session.is_whole = bytes.empty();
  return session;
}

std::string WriteSession(const std::vector<Words>& requests) {
  std::string bytes;
  for (const Words& words : requests) {
    bytes += "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string& word : words)
      bytes += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  }
  return bytes;
}

void CommandMutator::Change(std::vector<Words>& requests) {
  const size_t at = requests.empty() ? 0 : Below(requests.size());
  const auto place = requests.begin() + static_cast<std::ptrdiff_t>(at);
  switch (requests.empty() ? 0 : Below(6)) {
    case 0:
    case 1:
      if (requests.size() < kMostRequests) requests.insert(place, AnyRequest());
      break;
    case 2:
      requests.erase(place);
      break;
    case 3:
      if (requests.size() < kMostRequests) requests.push_back(Words(*place));
      break;
    case 4:
      std::swap(*place, requests[Below(requests.size())]);
      break;
    default:
      ChangeOne(*place);
  }
}

Words CommandMutator::AnyRequest() {
  const auto rows = AllCommands::Get().rows();
  const Command& row = *rows[Below(rows.size())];
  const size_t bar = row.name.find('|');
  Words words{std::string(row.name.substr(0, bar))};
  if (bar != std::string_view::npos) words.emplace_back(row.name.substr(bar + 1));
  const auto form = WordsOf(row.arguments);
  size_t count = static_cast<size_t>(std::abs(row.arity));
  if (row.arity < 0) count += Below(4);
  if (OneIn(8)) count += Below(3);
  while (words.size() < count)
    words.push_back(AnyArgument(form));
  return words;
}

std::string CommandMutator::AnyArgument(const std::vector<std::string>& form) {
  if (!form.empty() && OneIn(2)) return form[Below(form.size())];
  if (OneIn(200)) return std::string(65'000 + Below(1000), 'k');
  if (OneIn(20)) return "c:" + std::string(Below(8000), 'v');
  return std::string(kArguments[Below(std::size(kArguments))]);
}

void CommandMutator::ChangeOne(Words& request) {
  std::string& word = request[Below(request.size())];
  switch (Below(4)) {
    case 0:
      word = AnyArgument({});
      break;
    case 1:
      request.push_back(AnyArgument({}));
      break;
    case 2:
      if (request.size() > 1) request.pop_back();
      break;
    default:
      word = change_(word, word.size() + 16);
  }
}

}  // namespace cistern::server
