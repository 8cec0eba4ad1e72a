-- view: for verbs that only read. They may run at any time, so they neither guard nor change anything.
-- keys: none

local function answer(word, body)
  return cmsgpack.pack({word, 0, body or {}})
end
