// One value of one row: from text and to text. Texts are as in the file, without quotation marks.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "server/config/rows.h"

namespace cistern::server {

// The error is a whole sentence that begins with the row's name and ends with what to do.
using Outcome = tl::expected<void, std::string>;

// Sets a value of any type but lists and tables, if it is well formed and in the row's range.
Outcome SetValue(const Row& row, const Target& target, std::string_view text);

// Whether a list, of tables too, may have so many elements.
Outcome CheckCount(const Row& row, size_t count);

// The whole list at once. Its elements have passed CheckElement().
Outcome SetList(const Row& row, const Target& target, std::vector<std::string> elements);

// One element of a list on its own.
Outcome CheckElement(const Row& row, std::string_view element);

// Sets the defaults of all rows of one element of `list`; of those in no list, where it is null.
// Rows without a literal() are left alone. The table's own test sees to it that defaults fit.
void SetDefaults(const Row* list, const Target& target);

// Lists are joined by a blank; secrets are shown as "(hidden)" unless empty; tables are empty.
std::string FormatValue(const Row& row, const Target& target);

// Strings in quotation marks, lists in brackets: what would stand in the file.
std::string FormatToml(const Row& row, std::string_view text);

// "an integer, such as 10000": what the row wants, for errors.
std::string Wanted(const Row& row);

// "string", "duration": for help and reference.
std::string_view TypeName(const Row& row);

}  // namespace cistern::server
