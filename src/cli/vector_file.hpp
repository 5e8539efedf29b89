// Vectors in a file: an array of numpy, or a JSON object a line. Read once, by one thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <actionhist/space.hpp>

namespace actionhist::cli {

class VectorFile {
 public:
  // `ids` names a file with one id a line, for .npy alone. Throws Error: not_found, invalid_argument.
  VectorFile(const std::string& path, const std::string& ids);
  VectorFile(const VectorFile&) = delete;
  VectorFile& operator=(const VectorFile&) = delete;

  // They live as long as the file.
  std::span<const SubjectVector> vectors() const { return vectors_; }

 private:
  void read_numpy(const std::string& path, const std::string& ids);
  void read_lines(const std::string& path);

  std::vector<float> numbers_;  // of all rows, one after the other
  std::vector<std::vector<float>> rows_;
  std::vector<SubjectVector> vectors_;
};

}  // namespace actionhist::cli
