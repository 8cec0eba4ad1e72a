-- kick: force sessions out by user, session, license, domain or customer; at most `limit` looked at in one call.
-- Sets the cool-down, drains the sessions and writes the orders for their nodes in one go. While the partition recovers it is
-- kept, for the sessions that nodes have yet to tell of (see reassert).
-- keys: meta nodes by_node deadlines orders tombs cooldowns kicks licenses offers seats assignments sessions by_user queue pace events meters spread usage refused
-- args: customer user target_session license target_domain everyone after limit code message by cooldown_ms reply_to order_type
-- answers: kicked {sessions cursor}
-- uses: guard indexes meters events orders sessions recount kicks licenses reservations devices seats queue hand_on
local matched, cursor = {}, nil

local function match(session, record)
  if record.state ~= 'draining' then
    matched[#matched + 1] = {session = session, record = record}
  end
end

-- A holder is the user, or `user/device`; a user's name has one `@` and its domain no `/`.
local function match_license(id)
  local members = range(seats, id, args.limit, args.after)
  local seen = {}
  for _, member in ipairs(members) do
    local user = string.match(tail(member), '^([^@]*@[^/]*)')
    if not seen[user] then
      seen[user] = true
      for _, own in ipairs(sessions_of(user)) do
        if holds(own.record, id) then
          match(own.session, own.record)
        end
      end
    end
  end
  return members
end

local function match_all(domain)
  local from = args.after and '(' .. args.after or '-'
  local members = redis.call('ZRANGEBYLEX', by_user, from, '+', 'LIMIT', 0, args.limit)
  for _, member in ipairs(members) do
    local session = tail(member)
    local record = load(session)
    if record and (not domain or record.domain == domain) then
      match(session, record)
    end
  end
  return members
end

local members = {}
if args.target_session then
  local record = load(args.target_session)
  if record and (not args.user or record.user == args.user) then
    match(args.target_session, record)
  end
elseif args.user then
  for _, own in ipairs(sessions_of(args.user)) do
    match(own.session, own.record)
  end
elseif args.license then
  members = match_license(args.license)
elseif args.target_domain then
  members = match_all(args.target_domain)
elseif args.everyone then
  members = match_all()
end
if #members == args.limit then
  cursor = members[#members]
end

local how = {
  type = args.order_type, code = args.code, message = args.message, by = args.by, cool_until_ms = now + args.cooldown_ms,
  user = args.user, session = args.target_session, license = args.license, domain = args.target_domain,
  everyone = args.everyone,
}
if args.user and not args.target_session then
  cool(args.user, nil, how.cool_until_ms)
end
if recovering and args.order_type == 'logout' then
  redis.call('ZADD', kicks, 0, args.customer .. '\0' .. cmsgpack.pack(how))
end
local kicked = {}
for i, own in ipairs(matched) do
  local record, node = own.record, own.record.node
  record.reply_to = args.reply_to
  local number = force_out(own.session, record, how)
  kicked[i] = {
    session = own.session, fence = record.fence, user = record.user, device = record.device, node = node, order = number,
  }
end
hand_on()
return answer('kicked', {sessions = kicked, cursor = cursor})
