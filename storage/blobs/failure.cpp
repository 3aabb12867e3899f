#include "storage/blobs/failure.hpp"

#include <string>

namespace soma::blobs {
namespace {

/// What happened, for a person.
std::string_view plainly(blob_failure_code code) {
  switch (code) {
    case blob_failure_code::disk_full:
      return "the disk is full";
    case blob_failure_code::already_open:
      return "the blobs are in use";
    case blob_failure_code::machine:
      break;
  }
  return "the disk or the system failed";
}

}  // namespace

blob_failure::blob_failure(blob_failure_code code, const std::string& what)
    : std::runtime_error(std::string(plainly(code)) + " (" + what + ")"), code_(code) {}

std::string_view to_text(blob_refusal refusal) {
  switch (refusal) {
    case blob_refusal::unknown:
      return "unknown";
    case blob_refusal::corrupt_chunk:
      return "corrupt_chunk";
    case blob_refusal::quota_exceeded:
      return "quota_exceeded";
    case blob_refusal::empty:
      return "empty";
    case blob_refusal::too_large:
      return "too_large";
    case blob_refusal::wrong_hashes:
      return "wrong_hashes";
    case blob_refusal::wrong_chunk:
      return "wrong_chunk";
    case blob_refusal::put_in_progress:
      return "put_in_progress";
    case blob_refusal::incomplete:
      return "incomplete";
  }
  return "unknown";
}

std::string_view to_text(blob_failure_code code) {
  switch (code) {
    case blob_failure_code::disk_full:
      return "disk_full";
    case blob_failure_code::already_open:
      return "already_open";
    case blob_failure_code::machine:
      return "machine";
  }
  return "unknown";
}

}  // namespace soma::blobs
