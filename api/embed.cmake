# Writes OUT, a C++ source that holds the files FILES as texts: cmake -DOUT=... -DFILES=a.yaml;b.yaml -P embed.cmake
set(TEXT "#include \"schema/api_files.h\"\n\nnamespace emissary::schema {\nnamespace {\n\nconstexpr ApiFile kFiles[] = {\n")
foreach(FILE ${FILES})
  file(READ ${FILE} CONTENT)
  cmake_path(GET FILE STEM NAME)
  string(APPEND TEXT "    {\"${NAME}\", R\"api(${CONTENT})api\"},\n")
endforeach()
string(APPEND TEXT "};\n\n}  // namespace\n\nstd::span<const ApiFile> apiFiles() { return kFiles; }\n\n}  // namespace emissary::schema\n")
file(WRITE ${OUT} "${TEXT}")
