#include "messages/crypto/pem_file.hpp"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "messages/crypto/random.hpp"

namespace soma::crypto {
namespace {

constexpr int key_derivation_rounds = 210'000;

using p8info_ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, freed_by<PKCS8_PRIV_KEY_INFO_free>>;
using p8_ptr = std::unique_ptr<X509_SIG, freed_by<X509_SIG_free>>;

/// A file descriptor that has one owner.
struct descriptor {
  int number;
  explicit descriptor(int opened) : number(opened) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (number >= 0) ::close(number);
  }
};

bool write_all(int file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(file, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written == 0) errno = ENOSPC;
    if (written <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// Why a file could not be made, by errno. A limit on the size of files counts as no room, too.
key_file_refusal refusal_of(int error) {
  const bool is_full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return is_full ? key_file_refusal::no_room : key_file_refusal::not_writable;
}

void sync_folder(const std::filesystem::path& folder) {
  const descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  require(opened.number >= 0 && ::fsync(opened.number) == 0, "a folder that can't be synced");
}

/// Answers OpenSSL's request for a passphrase and remembers that there was a request.
struct passphrase_answer {
  const std::optional<std::string>& passphrase;
  bool asked = false;

  static int give(char* out, int size, int, void* self_) {
    auto& self = *static_cast<passphrase_answer*>(self_);
    self.asked = true;
    if (!self.passphrase || self.passphrase->size() > static_cast<std::size_t>(size)) return -1;
    std::memcpy(out, self.passphrase->data(), self.passphrase->size());
    return static_cast<int>(self.passphrase->size());
  }
};

}  // namespace

expected<void, key_file_refusal> write_new_file(const std::filesystem::path& path,
                                                std::string_view content, mode_t mode) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  system_random random;
  std::string hidden(".");
  hidden.append(path.filename().string()).append(".").append(std::to_string(random.next_u64()));
  const auto beside = folder / hidden;
  const descriptor file(
      ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (file.number < 0) return make_unexpected(refusal_of(errno));
  const bool durable = ::fchmod(file.number, mode) == 0 && write_all(file.number, content) &&
                       ::fsync(file.number) == 0;
  // link() is used and not rename(), because it fails in one step if the name is taken.
  const bool named = durable && ::link(beside.c_str(), path.c_str()) == 0;
  const int error = errno;
  ::unlink(beside.c_str());
  if (durable && !named && error == EEXIST) {
    return make_unexpected(key_file_refusal::already_exists);
  }
  if (!named) return make_unexpected(refusal_of(error));
  sync_folder(folder);
  return {};
}

expected<std::string, key_file_refusal> read_small_file(const std::filesystem::path& path,
                                                        bool secret) {
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number < 0) {
    return make_unexpected(errno == ENOENT ? key_file_refusal::not_found
                                           : key_file_refusal::not_readable);
  }
  struct stat facts {};
  if (::fstat(file.number, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    return make_unexpected(key_file_refusal::not_readable);
  }
  if (secret && (facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return make_unexpected(key_file_refusal::open_to_others);
  }
  std::string content(max_key_file_bytes + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = ::read(file.number, content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return make_unexpected(key_file_refusal::not_readable);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > max_key_file_bytes) return make_unexpected(key_file_refusal::not_a_key);
  content.resize(size);
  return content;
}

std::string text_in(BIO* memory) {
  char* start = nullptr;
  const long size = BIO_get_mem_data(memory, &start);
  return {start, static_cast<std::size_t>(size)};
}

std::string pem_of_key(EVP_PKEY* key, const std::optional<std::string>& passphrase) {
  const bio_ptr out(BIO_new(BIO_s_secmem()));
  const p8info_ptr plain(EVP_PKEY2PKCS8(key));
  require(out != nullptr && plain != nullptr, "PKCS#8");
  if (!passphrase) {
    require(PEM_write_bio_PKCS8_PRIV_KEY_INFO(out.get(), plain.get()) == 1, "PEM");
  } else {
    const p8_ptr closed(PKCS8_encrypt(-1, EVP_aes_256_cbc(), passphrase->data(),
                                      static_cast<int>(passphrase->size()), nullptr, 0,
                                      key_derivation_rounds, plain.get()));
    require(closed != nullptr && PEM_write_bio_PKCS8(out.get(), closed.get()) == 1,
            "encrypted PEM");
  }
  return text_in(out.get());
}

expected<pkey_ptr, key_file_refusal> key_of_pem(std::string_view pem,
                                                const std::optional<std::string>& passphrase) {
  const bio_ptr in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  require(in != nullptr, "no memory for a PEM");
  passphrase_answer answer{passphrase};
  pkey_ptr key(PEM_read_bio_PrivateKey(in.get(), nullptr, &passphrase_answer::give, &answer));
  ERR_clear_error();
  if (key) return key;
  if (!answer.asked) return make_unexpected(key_file_refusal::not_a_key);
  return make_unexpected(passphrase ? key_file_refusal::wrong_passphrase
                                    : key_file_refusal::passphrase_needed);
}

}  // namespace soma::crypto
