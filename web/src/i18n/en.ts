import { en as fault } from '@/fault/words'
import { en as sip } from '@/sip/words'
import type zh from './zh'

const en: typeof zh = {
	fault,
	sip,
	app: {
		name: 'Huawu', centre: 'Call centre', demo: 'Demo', logout: 'Log out', logout_call: 'You are in a call. Logging out hangs it up.', password: 'Change password', language: 'Language', theme: 'Appearance',
		theme_auto: 'As the system', theme_light: 'Light', theme_dark: 'Dark', shortcuts: 'Keyboard shortcuts', account: 'My account', skip: 'Skip to content',
		loading: 'Loading…', retry: 'Try again', close: 'Close', cancel: 'Cancel', save: 'Save', ok: 'OK', copy: 'Copy', copied: 'Copied',
		copy_failed: 'Could not copy; please select the text and copy it', no_answer: 'The server does not answer. Check the network', not_found: 'There is no such page', home: 'To the first page', refresh: 'Refresh', none: 'none', yes: 'Yes', no: 'No',
		main: 'Main', failed: 'That did not work',
	},
	nav: { desk: 'Desk', board: 'Live board', history: 'Calls', settings: 'Settings' },
	live: {
		open: 'Connected', connecting: 'Connecting', waiting: 'Connection lost, trying again in {n} s', stopped: 'Not connected', retry: 'Try now',
		lost: 'The connection to the server is lost. Telephone and page come back by themselves; no need to reload.', lost_short: 'Connection lost',
		restart: 'The server is restarting and will be back in a moment', logged_out: 'You have been logged out', taken_over: 'You logged in somewhere else; this page is logged out', expired: 'Your log-in has expired, please log in again',
	},
	role: { agent: 'Agent', supervisor: 'Team lead', admin: 'Administrator' },
	login: {
		title: 'Log in', user: 'User name', password: 'Password', submit: 'Log in', busy: 'Logging in…',
		lead: 'Answer every call. Know every caller.', demo_title: 'Demo centre', demo_lead: 'Pick a role and you are in. All names and numbers are made up.',
		demo_agent: 'Press “Sign in, ready” and a call comes within half a minute. Answer, hold, hang up, then play the recording.',
		demo_supervisor: 'Watch the live board: who talks, who is on a break, how many callers wait.',
		demo_admin: 'Set up queues, agents, numbers and lines. Saved is in force.',
		enter: 'Enter as {role}', or: 'or log in with an account', no_mic: 'No microphone here: you can still hear and watch.',
		insecure_title: 'This page cannot use the microphone', insecure: 'Browsers give the microphone only to pages opened by https or on the machine itself (localhost). This page was opened by http from another computer. You can log in, watch and hear, but callers will not hear you.',
		insecure_ca: 'Install the centre’s certificate, then open by https', insecure_https: 'Open by https', guide: 'Try it in three steps', guide1: 'Enter as Agent and press “Sign in, ready”.', guide2: 'The telephone rings: answer with Space or F2.',
		guide3: 'Hang up, open Calls, see why this call came to you, and play the recording.', must_change: 'Choose a new password first', must_change_why: 'Somebody else gave you the present one; go on with one that only you know.', rule: 'At least 8 characters, and not a common one', old: 'Present password', next: 'New password', again: 'New password again',
		mismatch: 'The two entries differ', changed: 'Password changed', hide: 'Hide', show: 'Show password',
	},
	state: { offline: 'Signed out', ready: 'Ready', ringing: 'Ringing', talking: 'Talking', wrapup: 'Wrap-up', break: 'Break', noanswer: 'Not answering' },
	pending: { break: 'break after this call', offline: 'sign-out after this call' },
	desk: {
		bar: 'Telephone bar', ready: 'Ready', start: 'Sign in, ready', break: 'Break', break_pick: 'Why the break', break_plain: 'Break', sign_out: 'Sign out', sign_out_ask: 'After signing out no calls will reach you. Sign out?',
		answer: 'Answer', refuse: 'Refuse', hangup: 'Hang up', hold: 'Hold', resume: 'Resume', mute: 'Mute', unmute: 'Unmute', keypad: 'Keypad', dial: 'Dial', dial_to: 'Number to dial', dialing: 'Calling {number}',
		wrap_end: 'Finished', wrap_extend: '30 s more', wrap_left: '{t} left', wrap_over: 'Time is up', extended: '30 seconds added',
		incoming: 'Incoming call', incoming_from: 'Incoming call: {who}, queue {queue}', new_caller: 'New caller', hidden: 'Number hidden', no_number: 'No number shown', past: 'Past calls', past_none: 'First call from this number', past_loading: 'Looking up past calls…',
		answer_hint: 'Answer with Space or F2', answer_left: 'Goes to the next agent in {n} s', auto: 'Answers by itself', answer_elsewhere: 'Please answer at your desk phone', answer_other_tab: 'The telephone is in another tab: answer there, or take it over here',
		in_call: 'In a call', on_hold: 'On hold, the caller hears music', recording: 'Recording', outgoing: 'Outgoing', connecting: 'Connecting…', calling_you: 'Connecting your telephone…',
		idle_ready: 'Ready. Calls ring here', idle_offline: 'Not signed in yet', idle_offline_hint: 'Press “Sign in, ready” to take calls, or F8.', idle_break: 'Enjoy your break', idle_break_hint: 'Press Ready (F8) when you are back.',
		idle_noanswer: 'The last call was not answered', idle_noanswer_hint: 'So that callers do not wait in vain, no calls come to you now. Press Ready (F8) to go on.', idle_wrap: 'Finish up this call', idle_wrap_hint: 'Press Finished when you are done; when the time is up you are ready again.',
		device_lost: 'Your telephone is not connected; calls go to others', waiting: '{n} waiting', waiting_none: 'nobody waiting', queues: 'My queues', today: 'Today', answered: 'Answered', talk: 'Talk time', missed: 'Missed', average: 'Average call',
		recent: 'Recent calls', recent_none: 'No calls yet today', recent_all: 'All calls', since: 'for {t}', for_you: 'Call for you', page_title: 'Desk', no_desk: 'This account takes no calls', no_desk_hint: 'The desk is for agents.',
		dial_empty: 'Enter a number first', digits_sent: 'Sent {d}', digits: 'Send digits', backspace: 'Delete one', call_back: 'Call {number}', in_queue: 'Queue {queue}', number_label: 'Number', waited: 'waited {t}', pending_cancel: 'Back to ready',
		refresh_hint: 'Reloading the page does not end the call',
	},
	phone: {
		label: 'Telephone', settings: 'Telephone settings and self-test', state_off: 'Telephone is off', state_connecting: 'Telephone is connecting', state_up: 'Telephone connected', state_down: 'Telephone lost, reconnecting in {n} s', state_other: 'Telephone is in another tab', state_refused: 'The server refuses this telephone',
		take_over: 'Use the telephone here', taken: 'The telephone is open in another tab.', mic_refused: 'The browser blocks the microphone. Click the icon left of the address, set Microphone to “Allow”, then try again.', mic_none: 'No microphone found. You can hear, but callers cannot hear you; a headset is used as soon as you plug it in.',
		mic_insecure: 'This page is not https, so the browser gives no microphone. You can hear, but callers cannot hear you.', mic_busy: 'Another program holds the microphone. Close it and try again.', mic_moved: 'The headset was unplugged; now using “{label}”.', mic_lost: 'The microphone was unplugged; callers cannot hear you. It comes back when you plug it in.',
		mic_back: 'Now using “{label}”.', speaker_moved: 'Sound now comes from “{label}”.', no_audio_in: 'Nothing heard from the other side for {n} s. The network may block voice (UDP).', no_audio_ok: 'The other side is heard again.', mic_silent: 'The microphone is silent. Is it muted at the headset?',
		lost: 'The telephone lost the server, reconnecting in {n} s. A running call comes back by itself.', restored: 'The telephone is connected again', default_device: 'System default', microphone: 'Microphone', speaker: 'Earpiece', ringer: 'Ringing', ring_volume: 'Ring volume', test_ring: 'Hear the ring',
		notify: 'Show a system notification when a call comes and this window is hidden', notify_ask: 'Allow', notify_on: 'Allowed', notify_denied: 'The browser blocks notifications; change it at the icon left of the address', notify_title: 'Incoming call: {who}',
		selftest: 'Telephone self-test', selftest_lead: 'Ten seconds before the shift: microphone, loss and delay.', selftest_run: 'Start the test', selftest_again: 'Test again', selftest_stop: 'Stop', level: 'Microphone level', say: 'Say a few words',
		step_mic: 'Open the microphone', step_call: 'Call the echo number *43', step_measure: 'Measure for {n} s', test_busy: 'No test during a call', loss: 'Loss', delay: 'Round trip', jitter: 'Jitter', echo: 'Sound there and back', ms: '{n} ms', percent: '{n}%',
		verdict_good: 'Good: ready for calls.', verdict_fair: 'Usable: sound may break up now and then.', verdict_bad: 'Bad: callers will not understand you. Use a cable, or tell the administrator.', verdict_silent: 'The microphone is silent: check the mute switch at the headset.', verdict_nomic: 'No microphone: you can only listen.',
		verdict_noaudio: 'No echo came back: the network may block voice (UDP).', verdict_nocall: 'The echo number cannot be reached: {why}', not_measured: 'not measured', install: 'Connection', unmuted: 'The microphone is on', muted: 'Muted: callers cannot hear you',
		audio_blocked: 'The browser wants one click before it plays sound', audio_allow: 'Turn on sound',
	},
	keys: {
		title: 'Keyboard shortcuts', fault: 'Report a fault', answer: 'Answer', hangup: 'Hang up or refuse', ready: 'Ready / break', hold: 'Hold / resume', mute: 'Mute / unmute', wrap: 'Finish wrap-up', dial: 'Go to the dial field', help: 'Show this list', digits: 'In a call, number keys are sent as digits', space: 'Space',
		go: 'Open desk / board / calls', esc: 'Close a window', hint: 'While you type in a field, only the F keys work.',
	},
	history: {
		title: 'Calls', from: 'From', to: 'To', search: 'Number or name', dir: 'Direction', dir_in: 'In', dir_out: 'Out', dir_internal: 'Internal', queue: 'Queue', agent: 'Agent', answered: 'Result', answered_1: 'Answered', answered_0: 'Not answered', all: 'All', filter: 'Search', clear: 'Clear filters',
		time: 'Time', who: 'Caller', wait: 'Waited', talk: 'Talked', by: 'Hung up by', rec: 'Recording', more: '{n} more', end: 'No more calls', empty: 'No such calls', empty_hint: 'Widen the time range or clear the filters.', today: 'Today', yesterday: 'Yesterday', week: 'Last 7 days', month: 'Last 30 days', custom: 'Choose',
		open: 'Open the call of {who}', range: 'Time range', has_rec: 'Has a recording', shown: '{n} shown', running: 'running',
	},
	by: { customer: 'Caller', agent: 'Agent', system: 'System', line: 'Line' },
	call: {
		detail: 'Call', timeline: 'What happened', segments: 'Parts', offers: 'Offers', legs: 'Line quality', recordings: 'Recording', start: 'Began', answer: 'Answered', end: 'Ended', called: 'Number called', no_offers: 'It was offered to no agent', no_recordings: 'No recording', no_legs: 'No lines noted',
		role: 'Side', code: 'Result', loss: 'Loss', jitter: 'Jitter', mos: 'MOS', rtt: 'Round trip', mos_good: 'good', mos_fair: 'fair', mos_bad: 'bad', role_customer: 'Caller', role_agent: 'Agent', role_third: 'Third party', gone: 'This call was not found',
		number: 'Number', call_this: 'Call', by: 'Hung up by', received: 'Packets', ring_for: 'rang {t}',
	},
	seg: { ivr: 'Greeting', queue: 'Waiting', ring: 'Ringing', talk: 'Talk', hold: 'Hold', conference: 'Conference', voicemail: 'Voicemail' },
	outcome: { answered: 'answered', timeout: 'not answered', refused: 'refused', failed: 'telephone failed', withdrawn: 'withdrawn', abandoned: 'caller hung up' },
	why: {
		title: 'Why {name}', lead_idle: 'Idle the longest: for {idle}.', lead_level: 'Level {level} comes first, and of these idle the longest: for {idle}.', lead_only: 'Only {name} could take it.', second: 'Next would be {name}: {diff}.', second_idle: 'idle for {idle}, {less} less than {winner}',
		second_level: 'level {level}, after level {first}', second_same: 'idle just as long, later by number', best: 'First in line', best_calls: 'Calls that waited', rank: 'Place', name: 'Agent', idle: 'Idle', level: 'Level', waited: 'Waited', priority: 'Priority', others: 'Not asked: {list} ({n} in all).', comma: ', ', unknown: 'No reason noted', this_call: 'This call', other_call: 'Another call',
		rule: 'Rule: the lower level first, then who is idle longest, then by number.', rule_calls: 'Rule: the higher priority first, then who waited longest.', raw: 'As noted', call_waited: 'Had just become free, and this call had waited longest: {waited}.', call_priority: 'Had just become free, and this call had the highest priority ({priority}) after waiting {waited}.', call_only: 'Had just become free, and only this call waited, for {waited}.',
		call_second: 'The next one had waited {waited}.', call_second_priority: 'The next one had priority {priority} and had waited {waited}.', colleague: 'Colleague {id}', runner: 'next', winner: 'chosen',
		reason: { offline: '{n} signed out', talking: '{n} in a call', wrapup: '{n} in wrap-up', break: '{n} on a break', noanswer: '{n} who had just not answered', ringing: '{n} ringing', device: '{n} with no telephone connected', refused: '{n} who had just refused this call', later: '{n} further down the list' },
	},
	player: {
		play: 'Play', pause: 'Pause', customer: 'Caller', agent: 'Agent', speed: 'Speed', seek: 'Position', download: 'Download', missing: '{t} of sound are missing', failed: 'Recording failed: {why}', loading: 'Loading the waveform…', load_failed: 'The waveform cannot be read, but it plays',
		part: 'Part {n}', back: 'Back 5 s', forward: 'Forward 5 s', hint: 'Space plays, arrow keys move by 5 s', at: '{t} / {total}', group: 'Recording player', open_part: 'still recording', left: 'left channel', right: 'right channel',
	},
	board: {
		title: 'Live board', agents: 'Agents', queues: 'Queues', calls: 'Calls now', waiting: 'Waiting', longest: 'Longest wait', level: 'Service level', level_hint: 'answered within {s} s', abandoned: 'Abandoned', offered: 'Calls in', answered: 'Answered', offered_today: 'Calls today', answered_today: 'Answered today', abandoned_today: 'Abandoned today', level_today: 'Service level today', in_calls: 'In calls', ready: 'Ready', logged: 'Signed in', state: 'State', for: 'For', where: 'Call',
		today: 'Today', actions: 'Actions', force_ready: 'Set ready', force_break: 'Set on break', force_out: 'Sign out', force_ask: '{what}: {name}?', forced: '{what}: {name}', no_agents: 'No agents yet', no_queues: 'No queues yet', no_calls: 'No calls now', by_state: 'What agents are doing', filter: 'Only state', everybody: 'Everybody',
		talking: 'Talking', people: '{n}', alarms: 'Alarms', waiting_chart: 'Up to 10 minutes back', missed: 'Missed', since_open: 'since this page opened', answered_n: '{n} ans.', charts: 'Charts', service_none: 'no calls yet',
	},
	resource: {
		search: 'Search', add: 'New', edit: 'Edit', remove: 'Delete', remove_ask: 'Delete “{name}”? This cannot be undone.', removed: '“{name}” deleted', saved: 'Saved', created: 'Created', empty: 'Nothing here yet', empty_search: 'Nothing found for “{q}”', empty_hint: 'Press New to add the first.', total: '{n} in all', required: 'required',
		min: 'At least {n}', max: 'At most {n}', min_len: 'At least {n} characters', max_len: 'At most {n} characters', not_number: 'Enter a whole number', digits: 'Digits only, + may come first', json: 'Not valid JSON', once_title: 'Shown only once', once_lead: 'Write it down now; it cannot be seen again after closing.', once_done: 'I have noted it', renew: 'Generate a new secret', renew_ask: 'Give “{name}” a new secret? The old one ends at once; the phone works again when the new one is entered.',
		conflict: 'Somebody else has just changed this; your changes are not saved.', conflict_reload: 'Load the newest', conflict_lead: 'Changed by others:', choose: 'Choose', clear: 'Clear', unchanged: 'Leave empty to keep it', readonly: 'View only', fix: 'Please mend what is marked', leave: 'There are unsaved changes. Leave?', leave_yes: 'Do not save', sort: 'Sort by {name}', page: 'Page {n}', prev: 'Previous', next: 'Next',
		demo_clear: 'Clear the demo', demo_ask: 'Deletes all sample people, queues and calls; this cannot be undone. Type “clear” to confirm.', demo_word: 'clear', demo_done: 'The demo is cleared', demo_login: 'Log in with this account from now on. The password is shown only once: note it now; you can change it under your account.', demo_next: 'Set up your own centre',  pick: 'Choose what to set up', code_required: 'required', code_taken: 'taken', code_unknown: 'unknown', created_ms: 'Created', updated_ms: 'Changed', code: {
			wrong: 'Wrong', ref: 'Does not exist', reserved: 'Reserved by the system; take another', no_key: 'secrets.key in the data folder cannot be used, so the password cannot be kept', short: 'Too short', weak: 'Too easy to guess', length: 'Wrong length', required: 'Required', taken: 'Already taken', not_unique: 'Already taken', unique: 'Already taken', unknown: 'No longer exists', too_long: 'Too long', too_short: 'Too short', too_big: 'Too large', too_small: 'Too small', type: 'Wrong format', range: 'Out of range', readonly: 'Cannot be changed', number: 'Digits only, + may come first', enum: 'Not one of the choices', create_only: 'Cannot be changed once it is made', in_use: 'Still in use', option: 'Not one of the choices', format: 'Wrong format',
		},
	},
	doctor: {
		title: 'Server check', lead: 'Looks at configuration, disk, database, ports, clock, certificate, trunks and NAT, and changes nothing. On the server itself:', at: '{at} · version {version}', again: 'Check again', busy: 'Checking…', back: 'Back to settings',
		well: 'All is well', sum: '{e} errors, {w} warnings', todo: 'What to do: ', level: { ok: 'OK', warn: 'Warning', error: 'Error' },
	},
	steps: {
		title: 'What to do next', lead: 'Do these in order and the first call can come; each is in force as soon as it is saved.', optional: 'may be skipped', done: 'done',
		teams: 'Make teams, to see people by group', users: 'Add agents', devices: 'Add desk phones (a browser needs none)', queues: 'Make a queue', members: 'Put agents into the queue', trunks: 'Enter the carrier’s trunk', numbers: 'Lead a number to the queue',
	},
	time: { h: '{n} h', m: '{n} min', s: '{n} s', hm: '{h} h {m} min', ms: '{m} min {s} s' },
}
export default en
