-- enforce: takes seats of a license from these holders (see review), as far as its policy does not let them stand, after looking at
-- everything again. Of those above the limit the first go, `ahead` having been named before. A session that loses a seat it needs
-- ends; any other goes on without it. `bases` is add-on -> base: an add-on goes with its base. It stops when `limit` sessions have
-- been looked at: `done` holders are seen to.
-- keys: meta nodes by_node deadlines orders tombs licenses withdrawn expiries offers seats account users extensions assignments sessions by_user queue pace events meters spread usage refused webhooks deliveries delivery_times delivery_bodies dead_letters
-- args: customer license holders ahead bases limit
-- answers: enforced {ended standing done}
-- uses: guard indexes meters deliveries webhooks events orders sessions recount holding licenses policies reservations devices seats queue hand_on
local id = args.license
local record = known(id)
if recovering or not record then
  return answer('enforced', {ended = 0, standing = 0, done = #args.holders})
end

local function split(session, holder)
  local kept, lost, gone = {}, {}, {}
  for _, seat in ipairs(session.seats) do
    gone[seat.product] = gone[seat.product] or (seat.license == id and seat.holder == holder)
  end
  for _, seat in ipairs(session.seats) do
    local list = (gone[seat.product] or gone[args.bases[seat.product]]) and lost or kept
    list[#list + 1] = seat
  end
  return kept, lost
end

local function needs(session, lost)
  for _, seat in ipairs(lost) do
    for _, product in ipairs(session.need or {}) do
      if product == seat.product then
        return true
      end
    end
  end
  return false
end

-- The seats count until the client says, by answering a beat that came after, that it knows; or can no longer believe in them.
local function lose(own, kept, lost, why)
  local session, losing = own.record, own.record.losing or {seats = {}, until_ms = 0}
  for _, seat in ipairs(lost) do
    losing.seats[#losing.seats + 1] = seat
  end
  losing.until_ms = math.max(losing.until_ms, believed_until_ms(session))
  session.seats, session.losing = kept, losing
  losing.order = order(session.node, {
    type = 'changed', session = own.session, fence = session.fence, code = why, product = record.product, seats = shown(lost),
  })
  if session.node == '' then
    disown(session)
  end
  save(own.session, session)
  watch(own.session, session)
end

local function take_from(own, holder, why)
  local kept, lost = split(own.record, holder)
  if #lost == 0 then
    return 0
  elseif needs(own.record, lost) then
    drain(own.session, own.record, {
      type = 'logout', code = 'license_ended', message = why, product = record.product, cooldown_s = 0,
      user = own.record.user,
    })
  else
    lose(own, kept, lost, why)
  end
  return 1
end

local function enforce(holder, above)
  local holding, busy, domain, product = {}, false, nil, nil
  for _, own in ipairs(sessions_of_holder(holder)) do
    for _, seat in ipairs(own.record.state ~= 'draining' and own.record.seats or {}) do
      if seat.license == id and seat.holder == holder then
        holding[#holding + 1], busy = own, busy or own.record.busy or false
        domain, product = own.record.domain, seat.product
        break
      end
    end
  end
  local why, since_ms = reason(record, domain, product, above)
  local ended = 0
  if #holding > 0 and why and must_go(record, why, since_ms, busy) then
    for _, own in ipairs(holding) do
      ended = ended + take_from(own, holder, why)
    end
  end
  return ended
end

local excess, standing, ended, done = excess_of(id, record), 0, 0, 0
for i, holder in ipairs(args.holders) do
  if is_enough(holder) then
    break
  end
  done = i
  if has(seats, id .. '\0' .. holder) then
    standing = standing + 1
    ended = ended + enforce(holder, args.ahead + standing <= excess)
  end
end
hand_on()
return answer('enforced', {ended = ended, standing = standing, done = done})
