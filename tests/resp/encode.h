// Encode: a request as clients send it.
#pragma once

#include <string>
#include <vector>

namespace cistern::resp {

inline std::string Encode(const std::vector<std::string>& request) {
  std::string bytes = "*" + std::to_string(request.size()) + "\r\n";
  for (const auto& arg : request)
    bytes.append("$").append(std::to_string(arg.size())).append("\r\n").append(arg).append("\r\n");
  return bytes;
}

}  // namespace cistern::resp
