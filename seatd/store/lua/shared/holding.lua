-- holding: the holders of a license, no more of them in one call than it may look at. A script runs alone and one holder may have
-- many sessions, so the bound (`limit`) is on the sessions read.
-- keys: seats (with sessions and indexes)

local read = {}

-- A holder is the user, or `user/device`; a user's name has one `@` and its domain no `/`.
local function user_of(holder)
  return string.match(holder, '^([^@]*@[^/]*)')
end

-- All sessions of the holder's user; one who holds with several devices is read once.
local function sessions_of_holder(holder)
  local user = user_of(holder)
  read[user] = read[user] or sessions_of(user)
  return read[user]
end

-- Whether this holder is left to the next call. The first one never is, so every call gets on.
local function is_enough(holder)
  return looked_at >= args.limit and not read[user_of(holder)]
end

-- The license's holders from `after` (nil: the first) on, each of them visited; answers where the next call goes on, nil at the end.
local function visit_holders(id, after, visit)
  local members = range(seats, id, args.limit, after)
  for i, member in ipairs(members) do
    local holder = tail(member)
    if is_enough(holder) then
      return members[i - 1]
    end
    visit(holder)
  end
  return #members == args.limit and members[#members] or nil
end
