#include "loader/sqlite_connection.h"

#include <sqlite3.h>

#include <chrono>
#include <thread>

namespace cistern::loader {
namespace {

// Virtual machine steps between two looks whether the query is still wanted: some 10 µs.
constexpr int kStepsPerLook = 1000;
constexpr auto kBusyPause = std::chrono::milliseconds(1);

// SQLite compares text and blobs as different things, and text is UTF-8: a key goes in as what it
// is.
bool IsUtf8(std::string_view bytes) {
  for (size_t i = 0; i < bytes.size();) {
    const auto lead = static_cast<unsigned char>(bytes[i]);
    const size_t length = lead < 0x80              ? 1
                          : (lead & 0xe0U) == 0xc0 ? 2
                          : (lead & 0xf0U) == 0xe0 ? 3
                          : (lead & 0xf8U) == 0xf0 ? 4
                                                   : 0;
    if (length == 0 || i + length > bytes.size()) return false;
    uint32_t code = length == 1 ? lead : lead & (0x7fU >> length);
    for (size_t j = 1; j < length; ++j) {
      const auto next = static_cast<unsigned char>(bytes[i + j]);
      if ((next & 0xc0U) != 0x80) return false;
      code = (code << 6U) | (next & 0x3fU);
    }
    constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < kLeast[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    i += length;
  }
  return true;
}

}  // namespace

cache::Result<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(Settings settings) {
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(std::move(settings)));
  const Settings& s = connection->settings_;
  const int status = sqlite3_open_v2(s.path.c_str(), &connection->db_,
                                     SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  if (status != SQLITE_OK) {
    const char* reason =
        connection->db_ != nullptr ? sqlite3_errmsg(connection->db_) : sqlite3_errstr(status);
    return tl::unexpected(
        cache::errors::Backend(s.group, "cannot open database '" + s.path + "': " + reason));
  }
  if (const auto prepared = connection->Prepare(); !prepared)
    return tl::unexpected(prepared.error());
  return connection;
}

cache::Result<void> SqliteConnection::Prepare() {
  sqlite3_progress_handler(db_, kStepsPerLook, &OnProgress, this);
  sqlite3_busy_handler(db_, &OnBusy, this);
  const char* rest = nullptr;
  const int status =
      sqlite3_prepare_v3(db_, settings_.query.c_str(), static_cast<int>(settings_.query.size() + 1),
                         SQLITE_PREPARE_PERSISTENT, &statement_, &rest);
  std::string reason;
  if (status != SQLITE_OK) {
    reason = std::string("database '") + settings_.path + "': " + sqlite3_errmsg(db_);
  } else if (statement_ == nullptr) {
    reason = "it is empty";
  } else if (std::string_view(rest).find_first_not_of(" \t\r\n;") != std::string_view::npos) {
    reason = "it is more than one statement";
  } else if (sqlite3_stmt_readonly(statement_) == 0) {
    reason = "it writes";
  } else if (sqlite3_column_count(statement_) != 1) {
    reason = "it must return one column, the value";
  } else if (sqlite3_bind_parameter_count(statement_) != 1) {
    reason = "it must have one parameter, ?1, the key";
  }
  if (reason.empty()) return {};
  return tl::unexpected(cache::errors::Backend(
      settings_.group, "query '" + settings_.query + "' is refused: " + reason));
}

SqliteConnection::~SqliteConnection() {
  sqlite3_finalize(statement_);  // repeats the last step's error, which was reported then
  sqlite3_close_v2(db_);
}

LoadResult SqliteConnection::Load(std::string_view key, const std::function<bool()>& wanted) {
  wanted_ = &wanted;
  LoadResult result = Bind(key) == SQLITE_OK ? Step() : LoadResult(tl::unexpected(Failure()));
  // Ends the transaction, so that the next query sees what was written meanwhile.
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  wanted_ = nullptr;
  return result;
}

int SqliteConnection::Bind(std::string_view key) {
  // A null pointer would bind NULL instead of the empty text.
  const char* bytes = key.empty() ? "" : key.data();
  return IsUtf8(key)
             ? sqlite3_bind_text64(statement_, 1, bytes, key.size(), SQLITE_STATIC, SQLITE_UTF8)
             : sqlite3_bind_blob64(statement_, 1, bytes, key.size(), SQLITE_STATIC);
}

LoadResult SqliteConnection::Step() {
  const int status = sqlite3_step(statement_);
  if (status == SQLITE_DONE) return NotFound();
  if (status != SQLITE_ROW) return Failed(Failure());
  const int type = sqlite3_column_type(statement_, 0);
  if (type == SQLITE_NULL) return NotFound();
  // As text every other type reads as people write it, in UTF-8 also where the file is in UTF-16.
  const void* bytes =
      type == SQLITE_BLOB ? sqlite3_column_blob(statement_, 0) : sqlite3_column_text(statement_, 0);
  const auto size = static_cast<size_t>(sqlite3_column_bytes(statement_, 0));
  if (bytes == nullptr && sqlite3_errcode(db_) == SQLITE_NOMEM) return Failed(Failure());
  return Found(bytes == nullptr ? std::string_view()
                                : std::string_view(static_cast<const char*>(bytes), size));
}

cache::Error SqliteConnection::Failure() const {
  return cache::errors::Backend(settings_.group, sqlite3_errmsg(db_));
}

bool SqliteConnection::HasMoved() const {
  int moved = 0;
  return sqlite3_file_control(db_, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
         moved != 0;
}

int SqliteConnection::OnProgress(void* self) {
  return static_cast<SqliteConnection*>(self)->IsWanted() ? 0 : 1;
}

int SqliteConnection::OnBusy(void* self, int times) {
  auto* connection = static_cast<SqliteConnection*>(self);
  const auto now = std::chrono::steady_clock::now();
  if (times == 0) connection->busy_since_ = now;
  if (now - connection->busy_since_ >= connection->settings_.busy_limit) return 0;
  if (!connection->IsWanted()) return 0;
  std::this_thread::sleep_for(kBusyPause);
  return 1;
}

}  // namespace cistern::loader
