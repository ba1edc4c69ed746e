package simulator

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// manyBegin is the time of the first object. Each further object is a minute later.
var manyBegin = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// ManyFiles returns n files with the ids file-000001 and up, the same in every run.
// Names and times are in order, sizes are not. Their contents are only stand-ins for the
// sizes that they claim.
func ManyFiles(n int) []File {
	authors := manyPersons("Author")
	files := make([]File, 0, n)
	for i := 1; i <= n; i++ {
		name := fmt.Sprintf("report-%06d", i)
		size := manySize(i)
		files = append(files, File{
			ID: fmt.Sprintf("file-%06d", i), Filename: name, Type: new("application/pdf"), Extension: "pdf", FullFilename: name + ".pdf",
			Size: size, FormattedSize: formatSize(size), EncryptedSize: size*4/3 + 48, FormattedEncryptedSize: formatSize(size*4/3 + 48),
			CreatedBy: &authors[i%len(authors)], CreatedAt: manyTime(i), Disk: "local-spaces",
			Content: fmt.Appendf(nil, "simulated report %06d\n", i),
		})
	}
	return files
}

// ManyInboxMails returns n mails with the ids mail-000001 and up, the same in every run,
// from five senders. Each has a download, download-000001 and up, with the file of the
// same number from ManyFiles. To include the files, the data must contain them among its
// files or received files.
func ManyInboxMails(n int) []InboxMail {
	senders := manyPersons("Sender")
	mails := make([]InboxMail, 0, n)
	for i := 1; i <= n; i++ {
		sender := senders[i%len(senders)]
		mails = append(mails, InboxMail{
			ID: fmt.Sprintf("mail-%06d", i), Identifier: new(fmt.Sprintf("I%06d", i)), Subject: new(fmt.Sprintf("Report %06d", i)),
			Body: new(fmt.Sprintf("<p>%s-%06d</p>", BodyMany, i)), Sender: &Sender{Name: sender.Name, Email: sender.Email},
			Download: &MailDownload{
				ID: fmt.Sprintf("download-%06d", i), CreatedAt: manyTime(i), FileIDs: []string{fmt.Sprintf("file-%06d", i)},
			},
			ReceivedAt: manyTime(i), Opened: i%2 == 0,
		})
	}
	return mails
}

// LargeFile returns a file of any size. Its content is the same in every run, is not
// UTF-8, and does not compress.
func LargeFile(id string, size int) File {
	content := make([]byte, size)
	// Read never fails.
	_, _ = rand.NewChaCha8([32]byte{}).Read(content)
	if size > 0 {
		// Even one byte must not be UTF-8.
		content[0] = 0xff
	}
	bytes := int64(size)
	return File{
		ID: id, Filename: "large", Type: new("application/octet-stream"), Extension: "bin", FullFilename: "large.bin",
		Size: bytes, FormattedSize: formatSize(bytes), EncryptedSize: bytes*4/3 + 48, FormattedEncryptedSize: formatSize(bytes*4/3 + 48),
		CreatedAt: "2019-05-13 06:00:00", Disk: "local-spaces", Content: content,
	}
}

func manyPersons(role string) []Person {
	persons := make([]Person, 0, 5)
	for _, letter := range "ABCDE" {
		persons = append(persons, Person{
			Name:     fmt.Sprintf("%s %c", role, letter),
			Initials: fmt.Sprintf("%s %c.", role, letter),
			Email:    strings.ToLower(fmt.Sprintf("%s-%c@email.address", role, letter)),
			Timezone: "Europe/Vilnius",
		})
	}
	return persons
}

func manyTime(i int) string {
	return manyBegin.Add(time.Duration(i-1) * time.Minute).Format(timeLayout)
}

// manySize returns a size that differs for the first million files, in no order.
func manySize(i int) int64 {
	return 1000 + int64(i)*611953%1000003
}

// formatSize formats a size as in the API documentation.
func formatSize(size int64) string {
	if size < 1<<10 {
		return fmt.Sprintf("%d B", size)
	}
	value, unit := float64(size)/(1<<10), "KB"
	for _, larger := range []string{"MB", "GB"} {
		if value < 1<<10 {
			break
		}
		value, unit = value/(1<<10), larger
	}
	return fmt.Sprintf("%.2f %s", value, unit)
}
