#include "storage/lmdb/failure.hpp"

#include <utility>

namespace soma::lmdb {
namespace {

/// What happened, for a person.
std::string_view plainly(failure_code code) {
  switch (code) {
    case failure_code::storage_full:
      return "the disk is full";
    case failure_code::corrupt_record:
      return "a record is damaged";
    case failure_code::broken_file:
      return "the file is damaged";
    case failure_code::wrong_format:
      return "another program or another version wrote the file";
    case failure_code::already_open:
      return "it is in use";
    case failure_code::not_there:
      return "nothing is there";
    case failure_code::write_stopped:
      return "writing has stopped after an error";
    case failure_code::machine:
      break;
  }
  return "the disk or the system failed";
}

std::string sentence(failure_code code, const std::string& what, const std::string& table,
                     byte_view key) {
  std::string text = std::string(plainly(code)) + " (" + what;
  if (!table.empty()) text += ", table " + table + ", key 0x" + to_hex(key);
  return text + ")";
}

}  // namespace

std::string_view to_text(failure_code code) {
  switch (code) {
    case failure_code::storage_full:
      return "storage_full";
    case failure_code::corrupt_record:
      return "corrupt_record";
    case failure_code::broken_file:
      return "broken_file";
    case failure_code::wrong_format:
      return "wrong_format";
    case failure_code::already_open:
      return "already_open";
    case failure_code::not_there:
      return "not_there";
    case failure_code::write_stopped:
      return "write_stopped";
    case failure_code::machine:
      return "machine";
  }
  return "unknown";
}

failure::failure(failure_code code, const std::string& what, std::string table, bytes key)
    : std::runtime_error(sentence(code, what, table, key)),
      code_(code),
      table_(std::move(table)),
      key_(std::move(key)) {}

}  // namespace soma::lmdb
