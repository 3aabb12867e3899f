#include "storage/blobs/failure.hpp"

namespace soma::blobs {

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
