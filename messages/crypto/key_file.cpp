#include "messages/crypto/key_file.hpp"

#include <openssl/crypto.h>

#include "messages/crypto/pem_file.hpp"

namespace soma::crypto {
namespace {

expected<key_pair, key_file_refusal> key_in(std::string_view pem,
                                            const std::optional<std::string>& passphrase) {
  const auto handle = key_of_pem(pem, passphrase);
  if (!handle) return make_unexpected(handle.error());
  std::array<std::uint8_t, 32> seed;
  std::size_t size = seed.size();
  if (EVP_PKEY_get_base_id(handle->get()) != EVP_PKEY_ED25519 ||
      EVP_PKEY_get_raw_private_key(handle->get(), seed.data(), &size) != 1 || size != seed.size()) {
    return make_unexpected(key_file_refusal::not_ed25519);
  }
  auto key = key_pair::from_seed(seed);
  OPENSSL_cleanse(seed.data(), seed.size());
  return key;
}

}  // namespace

expected<void, key_file_refusal> save_key(const std::filesystem::path& path, const key_pair& key,
                                          const std::optional<std::string>& passphrase) {
  if (passphrase && passphrase->empty()) return make_unexpected(key_file_refusal::passphrase_empty);
  if (passphrase && passphrase->size() > max_passphrase_bytes) {
    return make_unexpected(key_file_refusal::passphrase_too_long);
  }
  auto seed = key.seed();
  const pkey_ptr handle(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  OPENSSL_cleanse(seed.data(), seed.size());
  require(handle != nullptr, "Ed25519 key");
  std::string pem = pem_of_key(handle.get(), passphrase);
  const auto again = key_in(pem, passphrase);
  const bool is_same = again && again->public_half() == key.public_half();
  auto written = is_same ? write_new_file(path, pem, 0600)
                         : make_unexpected(key_file_refusal::not_opened_again);
  OPENSSL_cleanse(pem.data(), pem.size());
  return written;
}

expected<key_pair, key_file_refusal> load_key(const std::filesystem::path& path,
                                              const std::optional<std::string>& passphrase) {
  auto pem = read_small_file(path, true);
  if (!pem) return make_unexpected(pem.error());
  auto key = key_in(*pem, passphrase);
  OPENSSL_cleanse(pem->data(), pem->size());
  return key;
}

std::string_view to_text(key_file_refusal refusal) {
  switch (refusal) {
    case key_file_refusal::not_found:
      return "there is no such file";
    case key_file_refusal::not_readable:
      return "the file can't be read";
    case key_file_refusal::open_to_others:
      return "the file's mode lets others in: chmod 600 it";
    case key_file_refusal::not_a_key:
      return "the file holds no key";
    case key_file_refusal::passphrase_needed:
      return "the key is encrypted: a passphrase is needed";
    case key_file_refusal::wrong_passphrase:
      return "the passphrase is wrong, or the file damaged";
    case key_file_refusal::not_ed25519:
      return "the key is not an Ed25519 key";
    case key_file_refusal::already_exists:
      return "the file exists already and is left as it is";
    case key_file_refusal::not_writable:
      return "the file can't be written";
    case key_file_refusal::no_room:
      return "there is no room for the file: the disk is full, or a limit is reached";
    case key_file_refusal::passphrase_empty:
      return "an empty passphrase protects nothing";
    case key_file_refusal::passphrase_too_long:
      return "the passphrase has more than 1,024 bytes";
    case key_file_refusal::not_opened_again:
      return "the file would not open again with this passphrase, so it was not written";
  }
  return "unknown refusal";
}

}  // namespace soma::crypto
