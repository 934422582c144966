// Makes Fields from pointers to members: At<&Config::server, &ServerConfig::memory>().
#pragma once

#include <cassert>
#include <type_traits>
#include <utility>

#include "server/config/field.h"

namespace cistern::server {
namespace field_detail {

template <class M>
struct MemberOf;
template <class C, class T>
struct MemberOf<T C::*> {
  using Class = C;
  using Type = T;
};

template <class Class>
Class& Whole(const Target& target) {
  if constexpr (std::is_same_v<Class, GroupConfig>) {
    assert(target.group != nullptr);
    return *target.group;
  } else if constexpr (std::is_same_v<Class, ClusterNode>) {
    assert(target.node != nullptr);
    return *target.node;
  } else {
    return *target.config;
  }
}

template <auto kFirst, auto... kRest>
auto& Get(const Target& target) {
  auto& first = Whole<typename MemberOf<decltype(kFirst)>::Class>(target).*kFirst;
  return (first.*....*kRest);
}

template <auto... kPath>
using TypeAt = std::remove_reference_t<decltype(Get<kPath...>(std::declval<const Target&>()))>;

template <class T>
constexpr RowType TypeOf() {
  if constexpr (std::is_same_v<T, std::string>) return RowType::kString;
  if constexpr (std::is_same_v<T, bool>) return RowType::kBool;
  if constexpr (std::is_same_v<T, int64_t>) return RowType::kInteger;
  if constexpr (std::is_same_v<T, double>) return RowType::kReal;
  if constexpr (std::is_same_v<T, Duration>) return RowType::kDuration;
  if constexpr (std::is_same_v<T, uint64_t>) return RowType::kSize;
  if constexpr (std::is_same_v<T, std::vector<std::string>>) return RowType::kStringList;
}

}  // namespace field_detail

// A value; its row's type is the member's.
template <auto... kPath>
constexpr Field At() {
  using T = field_detail::TypeAt<kPath...>;
  if constexpr (std::is_enum_v<T>) {
    return {RowType::kEnum, EnumRef{Words<T>::kNow, Words<T>::kLater,
                                    [](const Target& t) {
                                      return static_cast<size_t>(field_detail::Get<kPath...>(t));
                                    },
                                    [](const Target& t, size_t value) {
                                      field_detail::Get<kPath...>(t) = static_cast<T>(value);
                                    }}};
  } else {
    return {field_detail::TypeOf<T>(), Ref<T>(&field_detail::Get<kPath...>)};
  }
}

// A string, or list of strings, of which more is known.
template <RowType kType, auto... kPath>
constexpr Field As() {
  Field field = At<kPath...>();
  field.type = kType;
  return field;
}

// [name]: only a heading.
constexpr Field Section() {
  return {RowType::kTable, std::monostate()};
}

// [[name]]: `kElement` is the member of Target that stands for one of them.
template <auto kElement, auto... kPath>
constexpr Field Tables() {
  using List = field_detail::TypeAt<kPath...>;
  return {RowType::kTables,
          TablesRef{[](const Target& t) { return field_detail::Get<kPath...>(t).size(); },
                    [](const Target& t, size_t index) {
                      Target element = t;
                      element.*kElement = &field_detail::Get<kPath...>(t)[index];
                      return element;
                    },
                    [](const Target& t) {
                      List& list = field_detail::Get<kPath...>(t);
                      list.emplace_back();
                    },
                    [](const Target& t) -> std::string_view { return (t.*kElement)->name; }}};
}

}  // namespace cistern::server
