// Slots: the 16384 parts that keys are dealt into, exactly Redis Cluster's.
#pragma once

#include <cstdint>
#include <string_view>

namespace cistern::cluster {

using SlotIndex = uint16_t;
inline constexpr uint32_t kSlots = 16384;

// CRC-16/XMODEM: polynomial 0x1021, from 0, most significant bit first. (thread-safe)
uint16_t Crc16(std::string_view bytes);

// What is hashed of a key: the bytes between its first '{' and the first '}' after it, if there are
// any, else the whole key. A view into `key`.
std::string_view HashTag(std::string_view key);

// (thread-safe)
inline SlotIndex SlotOf(std::string_view key) {
  return Crc16(HashTag(key)) % kSlots;
}

}  // namespace cistern::cluster
